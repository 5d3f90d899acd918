import type { Call, CallClient, MediaOptions } from '../src/index.ts'
import { el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { wordsForNames } from './words.ts'

/** The calls of one's other devices, with the way to bring them here. */
export function elsewherePanel(
  client: CallClient,
  begin: (start: () => Promise<Call>, called: readonly string[]) => void,
) {
  const element = el('section', { class: 'card elsewhere', 'aria-label': 'On your other devices' })
  const render = () => {
    const calls = client.otherCalls
    element.hidden = calls.length === 0
    fill(
      element,
      ...calls.map((call) => {
        const { users, room } = call
        const name = room ?? wordsForNames(users)
        const take = (media: MediaOptions) => begin(() => call.takeOver(media), users)
        const button = (video: boolean) =>
          el(
            'button',
            {
              class: video ? 'button primary' : 'button',
              type: 'button',
              onclick: () => take({ audio: true, video }),
            },
            icon(video ? 'camera' : 'phone'),
            video ? 'Continue here' : 'Audio only',
          )
        return el(
          'div',
          { class: 'row' },
          el('p', {}, 'You are in a call on another device: ', el('strong', {}, name)),
          el('div', { class: 'actions' }, button(true), button(false)),
        )
      }),
    )
  }
  render()
  return { element, render }
}
