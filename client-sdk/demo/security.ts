import type { Call, Participant } from '../src/index.ts'
import { codeBlock, compareSheet } from './compare.ts'
import { avatar, el } from './dom.ts'
import { icon } from './icons.ts'
import { identityOf, lockStateOf } from './lock.ts'
import { livePanel } from './panel.ts'
import { lockWords, wordsForIdentity } from './security-words.ts'

/** The panel that says how the call is protected, and lets people make sure of each other. */
export function securityPanel(call: Call) {
  return livePanel({ id: 'security', title: 'Security' }, () => {
    const encrypts = call.protection !== 'off'
    return [statusOf(call), encrypts && codeOf(call), encrypts && peopleOf(call)]
  })
}

function statusOf(call: Call): HTMLElement {
  const state = lockStateOf(call)
  return el(
    'p',
    { class: 'assurance', 'data-state': state },
    icon(state === 'encrypted' ? 'lock' : 'lock-open'),
    el('span', {}, lockWords[state].long),
  )
}

/** The code that all who are here have in common. */
function codeOf(call: Call): HTMLElement | undefined {
  const { verification } = call
  if (verification === undefined) return undefined
  return el(
    'section',
    { class: 'stack', 'aria-label': 'Call code' },
    el('h3', {}, 'Call code'),
    codeBlock(verification),
    el(
      'p',
      { class: 'hint' },
      'Read it aloud: everybody here must see the same. It changes when somebody comes or goes.',
    ),
    el(
      'button',
      {
        class: 'button',
        type: 'button',
        'data-key': 'call-code',
        onclick: () => compareSheet({ kind: 'call', call, code: verification }),
      },
      icon('qr'),
      'Compare call code',
    ),
  )
}

function peopleOf(call: Call): HTMLElement | undefined {
  const people = [...call.participants.values()]
  if (people.length === 0) return undefined
  return el(
    'section',
    { class: 'stack', 'aria-label': 'People' },
    el('h3', {}, 'People'),
    el('ul', { class: 'people' }, ...people.map((person) => personRow(call, person))),
  )
}

function personRow(call: Call, person: Participant): HTMLElement {
  const { user, id } = person
  const identity = identityOf(call, id)
  const words = identity?.state === 'verified' ? 'Compare again' : 'Verify'
  const open = async () => {
    const code = await call.safetyNumber(id)
    if (code !== undefined) compareSheet({ kind: 'pair', call, code, person })
  }
  return el(
    'li',
    { 'data-key': id, 'data-trust': identity?.state },
    avatar(user),
    el(
      'div',
      { class: 'who' },
      el('div', { class: 'name' }, user, identity?.state === 'verified' && icon('verified')),
      el('div', { class: 'words' }, wordsForIdentity(identity)),
    ),
    identity &&
      el(
        'button',
        {
          class: 'button',
          type: 'button',
          'aria-label': `${words}: ${user}`,
          'data-key': `verify:${id}`,
          onclick: () => void open(),
        },
        words,
      ),
  )
}
