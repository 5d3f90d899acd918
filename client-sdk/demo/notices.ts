import { CallError } from '../src/index.ts'
import { el, part } from './dom.ts'
import { icon } from './icons.ts'
import { wordsForError } from './words.ts'

const TOAST_MS = 6_000
const MOST_TOASTS = 3

/** Says something to people who listen instead of look. */
export function announce(text: string): void {
  part('live').textContent = text
}

/** Shows a short message that goes away by itself, and reads it out. */
export function toast(text: string, kind: 'status' | 'alert' = 'status'): void {
  const box = part('toasts')
  const close = el(
    'button',
    {
      class: 'button round',
      type: 'button',
      'aria-label': 'Dismiss',
      onclick: () => note.remove(),
    },
    icon('close'),
  )
  const note = el('div', { class: 'toast' }, text, close)
  box.append(note)
  while (box.children.length > MOST_TOASTS) box.firstElementChild?.remove()
  if (kind === 'alert') part('alert').textContent = text
  else announce(text)
  setTimeout(() => note.remove(), TOAST_MS)
}

/** Runs what a person asked for and says in words what went wrong. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    toast(wordsForError(error.code), 'alert')
    return false
  }
}
