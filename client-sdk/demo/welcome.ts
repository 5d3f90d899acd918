import { el } from './dom.ts'
import { brandMark } from './icons.ts'

/** The first screen: who are you? */
export function welcomeScreen(signIn: (user: string) => Promise<boolean>): HTMLElement {
  const input = el('input', {
    id: 'name',
    name: 'name',
    required: true,
    maxlength: 64,
    autocomplete: 'nickname',
    placeholder: 'Alice',
    'aria-describedby': 'name-hint',
  })
  const button = el('button', { class: 'button primary', type: 'submit' }, 'Continue')
  const submit = async () => {
    button.disabled = true
    if (!(await signIn(input.value.trim()))) input.focus()
    button.disabled = false
  }
  const form = el(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault()
        void submit()
      },
    },
    el(
      'div',
      { class: 'field' },
      el('label', { for: 'name' }, 'Your name'),
      input,
      el('p', { class: 'hint', id: 'name-hint' }, 'Others see it when you call them.'),
    ),
    button,
  )
  queueMicrotask(() => input.focus())
  return el(
    'main',
    { class: 'welcome' },
    el(
      'div',
      { class: 'card' },
      el('div', { class: 'brand' }, brandMark(), 'Parley'),
      el('h1', {}, 'Calls that stay on your own server'),
      form,
    ),
  )
}
