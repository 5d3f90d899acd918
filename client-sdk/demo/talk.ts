import type { Call } from '../src/index.ts'
import { el } from './dom.ts'
import type { Floor } from './floor.ts'
import { announce, attempt, toast } from './notices.ts'
import { openSheet } from './sheet.ts'

/** What can be shown with one press, and what it is called. */
const reactions: Readonly<Record<string, string>> = {
  '👍': 'thumbs up',
  '👏': 'applause',
  '❤️': 'heart',
  '😂': 'laughter',
  '😮': 'surprise',
  '🎉': 'party',
}

/** Letters of a message, so that it can be read before it is gone. */
const MOST_LETTERS = 280

/** Asks for a reaction, or a few words to all. */
export function talkSheet(call: Call, floor: Floor): void {
  const react = async (reaction: string) => {
    sheet.close()
    if (await attempt(() => call.react(reaction))) floor.react(call.self, reaction)
  }
  const input = el('input', {
    id: 'words',
    required: true,
    maxlength: MOST_LETTERS,
    autocomplete: 'off',
  })
  const send = async () => {
    const text = input.value.trim()
    if (text === '' || !(await attempt(() => call.send(text)))) return
    announce('Sent')
    sheet.close()
  }
  const sheet = openSheet('talk', 'React', () => [
    el(
      'div',
      { class: 'reactions' },
      ...Object.entries(reactions).map(([reaction, name]) =>
        el(
          'button',
          {
            class: 'button',
            type: 'button',
            'aria-label': name,
            onclick: () => void react(reaction),
          },
          reaction,
        ),
      ),
    ),
    el(
      'form',
      {
        class: 'row',
        onsubmit: (event) => {
          event.preventDefault()
          void send()
        },
      },
      el('div', { class: 'field' }, el('label', { for: 'words' }, 'Message to all'), input),
      el('button', { class: 'button primary', type: 'submit' }, 'Send'),
    ),
  ])
}

/** Shows and says what the others tell. The answers end it. */
export function hearTalk(call: Call, floor: Floor): readonly (() => void)[] {
  const raised = new Set<string>()
  return [
    call.on('message', ({ data, from }) => {
      if (typeof data === 'string') toast(`${from.user}: ${data}`)
    }),
    call.on('reaction', (reaction, from) => {
      floor.react(from.id, reaction)
      announce(`${from.user} shows ${reactions[reaction] ?? reaction}`)
    }),
    call.on('participant-updated', ({ id, user, handRaisedAt }) => {
      if (handRaisedAt === undefined) raised.delete(id)
      else if (!raised.has(id)) {
        raised.add(id)
        announce(`${user} raised a hand`)
      }
    }),
  ]
}
