import type { Call, CallClient } from '../src/index.ts'
import { el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { attempt } from './notices.ts'

/** What people do with the calls that are not on the stage. */
export interface HeldActions {
  /** Brings a call to the stage. */
  readonly show: (call: Call) => void
  readonly nameOf: (call: Call) => string
}

/** The strip of calls that wait while another one is on the stage. */
export function heldCalls(current: Call, client: CallClient, { show, nameOf }: HeldActions) {
  const element = el('ul', { class: 'held', 'aria-label': 'Calls on hold' })
  let shown = ''
  const render = () => {
    const held = client.calls.filter((call) => call !== current && call.self !== undefined)
    // What has not changed stays: a button that is replaced loses its focus, or the press on it.
    const now = JSON.stringify(held.map((call) => [call.id, nameOf(call)]))
    if (now === shown) return
    shown = now
    element.hidden = held.length === 0
    fill(
      element,
      ...held.map((call) => {
        const name = nameOf(call)
        const take = async () => {
          if (await attempt(() => call.resume())) show(call)
        }
        return el(
          'li',
          {},
          icon('pause'),
          el('span', {}, `${name}, on hold`),
          el(
            'button',
            {
              class: 'button',
              type: 'button',
              'aria-label': `Resume call with ${name}`,
              onclick: () => void take(),
            },
            'Resume',
          ),
        )
      }),
    )
  }
  render()
  return { element, render }
}
