import type { Call, CallClient, Participant } from '../src/index.ts'
import { avatar, el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { attempt } from './notices.ts'
import { livePanel } from './panel.ts'

/** Who is in the call and who waits for it, with what a moderator may do about them. */
export function rosterPanel(call: Call, client: CallClient) {
  return livePanel({ id: 'roster', title: 'People' }, () => [
    call.moderator && policyOf(call),
    waitingOf(call),
    peopleOf(call, client),
  ])
}

/** The badge in the header that opens the panel, and says how many are there. */
export function rosterBadge(call: Call, toggle: () => void) {
  const element = el('button', { class: 'badge', type: 'button', 'aria-controls': 'roster' })
  element.addEventListener('click', toggle)
  const render = () => {
    const here = call.participants.size + 1
    const waiting = call.lobby.length
    fill(element, icon('group'), waiting > 0 ? `${here} · ${waiting} waiting` : String(here))
    const words = waiting > 0 ? `${here} in the call, ${waiting} waiting` : `${here} in the call`
    element.setAttribute('aria-label', `People: ${words}`)
    element.classList.toggle('alerts', waiting > 0)
  }
  render()
  return { element, render }
}

/** The switches of a call that a moderator has. */
function policyOf(call: Call): HTMLElement {
  return el(
    'div',
    { class: 'switches' },
    toggle('lock', 'Lock: nobody new comes in', call.locked, () =>
      call.locked ? call.unlock() : call.lock(),
    ),
    toggle('lobby', 'Lobby: newcomers wait', call.hasLobby, () => call.setLobby(!call.hasLobby)),
  )
}

function waitingOf(call: Call): HTMLElement | undefined {
  const users = [...new Set(call.lobby.map(({ user }) => user))]
  if (users.length === 0) return undefined
  const rows = users.map((user) =>
    row(
      { key: `waits:${user}`, user, words: 'Waiting to be let in' },
      action(`admit:${user}`, 'Admit', `Admit ${user}`, () => call.admit(user)),
      action(`deny:${user}`, 'Deny', `Deny ${user}`, () => call.deny(user)),
    ),
  )
  return el('ul', { class: 'people', 'aria-label': 'Waiting' }, ...rows)
}

function peopleOf(call: Call, client: CallClient): HTMLElement {
  const user = client.user ?? ''
  const words = call.moderator ? 'Moderator' : ''
  const own = row({ key: 'own', user, name: `${user} (you)`, words })
  const others = [...call.participants.values()].map((person) =>
    row(
      { key: person.id, user: person.user, words: wordsFor(person) },
      ...(call.moderator ? actionsOn(call, person) : []),
    ),
  )
  return el('ul', { class: 'people', 'aria-label': 'In the call' }, own, ...others)
}

function actionsOn(call: Call, person: Participant): readonly HTMLElement[] {
  const { id, user, silenced, moderator } = person
  const isMuted = silenced.includes('microphone')
  return [
    isMuted
      ? action(`mute:${id}`, 'Allow mic', `Allow ${user} to speak`, () => call.unmute(id))
      : action(`mute:${id}`, 'Mute', `Mute ${user}`, () => call.mute(id, { force: true })),
    moderator
      ? action(`rank:${id}`, 'Demote', `Make ${user} no moderator`, () => call.demote(id))
      : action(`rank:${id}`, 'Promote', `Make ${user} a moderator`, () => call.promote(id)),
    action(`remove:${id}`, 'Remove', `Remove ${user}`, () => call.remove(id)),
  ]
}

function wordsFor({ moderator, silenced, sending }: Participant): string {
  const words = [
    moderator && 'Moderator',
    silenced.includes('microphone') ? 'Muted by a moderator' : !sending.microphone && 'Muted',
  ]
  return words.filter(Boolean).join(' · ')
}

interface Row {
  readonly key: string
  readonly user: string
  readonly name?: string
  readonly words: string
}

function row(
  { key, user, name = user, words }: Row,
  ...actions: readonly HTMLElement[]
): HTMLElement {
  return el(
    'li',
    { 'data-key': key },
    avatar(user),
    el(
      'div',
      { class: 'who' },
      el('div', { class: 'name' }, name),
      el('div', { class: 'words' }, words),
    ),
    actions.length > 0 && el('div', { class: 'deeds' }, ...actions),
  )
}

function action(key: string, label: string, name: string, run: () => Promise<void>): HTMLElement {
  const onclick = () => void attempt(run)
  return el(
    'button',
    { class: 'button', type: 'button', 'aria-label': name, 'data-key': key, onclick },
    label,
  )
}

function toggle(key: string, label: string, on: boolean, run: () => Promise<void>): HTMLElement {
  const input = el('input', { type: 'checkbox', role: 'switch', checked: on, 'data-key': key })
  // It shows what the server has decided, not what was clicked.
  input.addEventListener('change', () => {
    input.checked = on
    void attempt(run)
  })
  return el('label', { class: 'switch' }, input, label)
}
