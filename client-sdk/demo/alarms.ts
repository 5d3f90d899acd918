import type { Call, Participant, SecurityAlarm } from '../src/index.ts'
import { compareSheet } from './compare.ts'
import { el } from './dom.ts'
import { icon } from './icons.ts'
import { heldIn, identityOf } from './lock.ts'
import { announce, attempt } from './notices.ts'
import { wordsForAlarm, wordsForChange } from './security-words.ts'

/** More alarms than these say nothing new. */
const MOST_SHOWN = 3

/**
 * What must not be overlooked in a call: a warning for each person whose identity is not trusted, which
 * stays until it is decided, and alarms, which stay until they are dismissed.
 */
export function alarmBoard(call: Call) {
  const element = el('div', { class: 'alarms' })
  const warnings = new Map<string, HTMLElement>()
  const shown = new Map<string, HTMLElement>()

  const render = () => {
    const held = heldIn(call)
    for (const [id, warning] of warnings) {
      if (held.some((person) => person.id === id)) continue
      warning.remove()
      warnings.delete(id)
    }
    for (const person of held) {
      if (warnings.has(person.id)) continue
      const warning = warningAbout(call, person)
      warnings.set(person.id, warning)
      element.prepend(warning)
      warning.focus()
    }
  }

  const onAlarm = (alarm: SecurityAlarm) => {
    // These are warned of above, for as long as they last.
    if (alarm.kind === 'identity-changed' || alarm.kind === 'identity-refused') return
    const user = alarm.participant && call.participants.get(alarm.participant)?.user
    const words = wordsForAlarm(alarm, user)
    if (shown.has(words)) return
    const note = alarmNote({ words, detail: alarm.detail }, () => {
      shown.delete(words)
      note.remove()
    })
    shown.set(words, note)
    element.append(note)
    if (shown.size <= MOST_SHOWN) return
    const [[oldest, gone] = []] = shown
    gone?.remove()
    if (oldest !== undefined) shown.delete(oldest)
  }

  render()
  return { element, render, stop: call.on('security', onAlarm) }
}

interface Note {
  readonly words: string
  /** For whoever is asked about it. */
  readonly detail: string
}

function alarmNote({ words, detail }: Note, dismiss: () => void): HTMLElement {
  return el(
    'div',
    { class: 'alarm', role: 'alert' },
    icon('warning'),
    el('p', {}, words, el('small', {}, detail)),
    el('button', { class: 'button', type: 'button', onclick: dismiss }, 'Dismiss'),
  )
}

function warningAbout(call: Call, person: Participant): HTMLElement {
  const { id, user } = person
  const identity = identityOf(call, id)
  const title = `warning-${id}`
  const isRefused = identity?.decision === 'refuse'
  const compareNumbers = async () => {
    const code = await call.safetyNumber(id)
    if (code !== undefined) compareSheet({ kind: 'pair', call, code, person })
  }
  const accept = () =>
    attempt(async () => {
      await call.acceptIdentity(id)
      announce(`You have accepted ${user}. Not verified yet.`)
    })
  return el(
    'section',
    { class: 'alarm loud', role: 'alertdialog', 'aria-labelledby': title, tabindex: -1 },
    icon('warning'),
    el(
      'div',
      { class: 'stack' },
      el('h2', { id: title }, isRefused ? `${user} was kept out` : `Is this really ${user}?`),
      identity && el('p', {}, wordsForChange(user, identity)),
      el(
        'p',
        {},
        `Nothing you say or show goes to ${user}, and nothing of ${user} is played here.`,
      ),
      el(
        'div',
        { class: 'choices' },
        !isRefused &&
          el(
            'button',
            { class: 'button', type: 'button', onclick: () => void compareNumbers() },
            icon('qr'),
            'Compare numbers',
          ),
        !isRefused &&
          el(
            'button',
            { class: 'button', type: 'button', onclick: () => void accept() },
            'Accept without comparing',
          ),
        el(
          'button',
          { class: 'button danger', type: 'button', onclick: () => void call.hangup() },
          icon('hangup'),
          'Hang up',
        ),
      ),
    ),
  )
}
