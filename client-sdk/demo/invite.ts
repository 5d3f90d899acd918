import type { Call, CallClient } from '../src/index.ts'
import { avatar, el } from './dom.ts'
import { icon } from './icons.ts'
import { attempt, toast } from './notices.ts'

/** Asks whom to add to a call. */
export function inviteSheet(call: Call, client: CallClient): void {
  const here = new Set([...call.participants.values()].map(({ user }) => user))
  const free = client
    .presence()
    .filter(({ user, status }) => status === 'online' && user !== client.user && !here.has(user))
  const invite = async (user: string) => {
    if (!(await attempt(() => call.invite(user)))) return
    toast(`Calling ${user}…`)
    sheet.close()
  }
  const input = el('input', { id: 'invitee', required: true, maxlength: 64, autocomplete: 'off' })
  const sheet = el(
    'dialog',
    { class: 'sheet invite', 'aria-labelledby': 'invite-title' },
    el(
      'div',
      { class: 'content' },
      el('h2', { id: 'invite-title' }, 'Add people'),
      el(
        'ul',
        { class: 'people' },
        ...free.map(({ user }) =>
          el(
            'li',
            {},
            avatar(user),
            el('div', { class: 'who' }, el('div', { class: 'name' }, user)),
            el(
              'button',
              { class: 'button', type: 'button', onclick: () => void invite(user) },
              icon('phone'),
              'Call',
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
        el('button', { class: 'button primary', type: 'submit' }, 'Call'),
      ),
      el(
        'button',
        { class: 'button quiet', type: 'button', onclick: () => sheet.close() },
        'Close',
      ),
    ),
  )
  sheet.addEventListener('close', () => sheet.remove())
  document.body.append(sheet)
  sheet.showModal()
}
