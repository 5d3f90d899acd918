import type { Assessment, Call, Participant } from '../src/index.ts'
import { el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { lockWords } from './security-words.ts'
import type { LockState } from './security-words.ts'

/** How the call is protected at this moment. */
export function lockStateOf({ protection, participants }: Call): LockState {
  return protection === 'pending' && participants.size === 0 ? 'alone' : protection
}

/** Those in the call who are not trusted. */
export function heldIn(call: Call): readonly Participant[] {
  return [...call.participants.values()].filter(({ id }) => {
    const identity = identityOf(call, id)
    return identity !== undefined && identity.decision !== 'accept'
  })
}

/** What is known of who somebody in the call is. */
export function identityOf(call: Call, participant: Participant['id']): Assessment | undefined {
  return call.participants.get(participant)?.identity
}

/** The badge in the header that opens the panel, and says how safe the call is. */
export function lockBadge(call: Call, toggle: () => void) {
  const element = el('button', {
    class: 'badge lock',
    type: 'button',
    'aria-controls': 'security',
    onclick: toggle,
  })
  const render = () => {
    const state = lockStateOf(call)
    if (element.dataset['state'] === state) return
    element.dataset['state'] = state
    const { short, long } = lockWords[state]
    fill(element, icon(state === 'encrypted' ? 'lock' : 'lock-open'), el('span', {}, short))
    element.title = long
    element.setAttribute('aria-label', `Security: ${short}. Show details`)
  }
  render()
  return { element, render }
}
