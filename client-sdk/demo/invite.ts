import type { Call, CallClient } from '../src/index.ts'
import { avatar, el } from './dom.ts'
import { icon } from './icons.ts'
import { attempt, toast } from './notices.ts'
import { openSheet } from './sheet.ts'
import { wordsForNames } from './words.ts'

/** What a person is chosen for. */
const purposes = {
  add: {
    title: 'Add people',
    action: 'Call',
    done: (user: string) => `Calling ${user}…`,
    run: (call: Call, user: string) => call.invite(user),
  },
  transfer: {
    title: 'Transfer the call',
    action: 'Transfer',
    done: (user: string) => `Calling ${user}. You stay in the call until they answer.`,
    run: (call: Call, user: string) => call.transfer(user),
  },
} as const

/** Asks whom to add to a call, or who is to take one's place in it. */
export function inviteSheet(
  call: Call,
  client: CallClient,
  purpose: keyof typeof purposes = 'add',
): void {
  const { title, action, done, run } = purposes[purpose]
  const here = new Set([...call.participants.values()].map(({ user }) => user))
  const free = client
    .presence()
    .filter(({ user, status }) => status === 'online' && user !== client.user && !here.has(user))
  const invite = async (user: string) => {
    if (!(await attempt(() => run(call, user)))) return
    toast(done(user))
    sheet.close()
  }
  // Somebody one has asked already, in a call of its own: bring the two together.
  const asked = client.calls.filter(
    (other) => other !== call && other.room === undefined && other.participants.size > 0,
  )
  const connect = async (other: Call) => {
    if (await attempt(() => call.transferTo(other))) sheet.close()
  }
  const withAsked = asked.map((other) => {
    const name = wordsForNames([...other.participants.values()].map(({ user }) => user))
    return el(
      'li',
      {},
      avatar(name),
      el('div', { class: 'who' }, el('div', { class: 'name' }, `${name}, on hold`)),
      el(
        'button',
        { class: 'button', type: 'button', onclick: () => void connect(other) },
        'Connect them',
      ),
    )
  })
  const input = el('input', { id: 'invitee', required: true, maxlength: 64, autocomplete: 'off' })
  const sheet = openSheet('invite', title, () => [
    el(
      'ul',
      { class: 'people' },
      ...(purpose === 'transfer' ? withAsked : []),
      ...free.map(({ user }) =>
        el(
          'li',
          {},
          avatar(user),
          el('div', { class: 'who' }, el('div', { class: 'name' }, user)),
          el(
            'button',
            {
              class: 'button',
              type: 'button',
              'aria-label': `${action} ${purpose === 'transfer' ? 'to ' : ''}${user}`,
              onclick: () => void invite(user),
            },
            icon('phone'),
            action,
          ),
        ),
      ),
    ),
    el(
      'form',
      {
        class: 'row',
        onsubmit: (event) => {
          event.preventDefault()
          void invite(input.value.trim())
        },
      },
      el('div', { class: 'field' }, el('label', { for: 'invitee' }, 'By name'), input),
      el('button', { class: 'button primary', type: 'submit' }, action),
    ),
  ])
}
