import type { CallClient, MissedCall } from '../src/index.ts'
import { avatar, el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { announce, toast } from './notices.ts'
import { missedWords, wordsForAge } from './words.ts'

/** Missed calls that stay on the page, at most. */
const MOST_SHOWN = 20

/** What is shown of a missed call until it is dismissed. */
type Noted = Pick<MissedCall, 'seq' | 'call' | 'from' | 'media' | 'reason' | 'at'>

/** What people do about missed calls. */
export interface MissedActions {
  readonly callBack: (user: string, media: { audio: boolean; video: boolean }) => void
}

/**
 * The calls that were missed. Each device is told once; the page notes them, so that they stay over
 * reloads until somebody has seen to them.
 */
export function missedPanel(client: CallClient, { callBack }: MissedActions) {
  const element = el('section', { class: 'card missed', 'aria-label': 'Missed calls' })
  const key = `parley missed ${client.user ?? ''}`
  const dismiss = (seqs: readonly number[]) => {
    write(
      key,
      read(key).filter(({ seq }) => !seqs.includes(seq)),
    )
    render()
    announce('Dismissed')
  }
  const row = (missed: Noted) => {
    const { seq, from, media, reason, at } = missed
    const kind = media.video ? 'Video call' : 'Audio call'
    const back = () => {
      dismiss([seq])
      callBack(from, { audio: true, video: media.video })
    }
    return el(
      'li',
      {},
      avatar(from),
      el(
        'div',
        { class: 'who' },
        el('div', { class: 'name' }, from),
        el('div', { class: 'when' }, `${kind} ${wordsForAge(at, Date.now())}`),
        el('div', { class: 'when' }, missedWords[reason]),
      ),
      el(
        'button',
        { class: 'button', type: 'button', 'aria-label': `Call ${from} back`, onclick: back },
        icon(media.video ? 'camera' : 'phone'),
        'Call back',
      ),
      el(
        'button',
        {
          class: 'button round quiet',
          type: 'button',
          'aria-label': `Dismiss missed call from ${from}`,
          onclick: () => dismiss([seq]),
        },
        icon('close'),
      ),
    )
  }
  const render = () => {
    const missed = read(key)
    element.hidden = missed.length === 0
    const all = missed.map(({ seq }) => seq)
    const clear = el(
      'button',
      { class: 'button quiet', type: 'button', onclick: () => dismiss(all) },
      'Dismiss all',
    )
    fill(
      element,
      el('div', { class: 'row' }, el('h2', {}, 'Missed calls'), missed.length > 1 && clear),
      el('ul', { class: 'people' }, ...missed.map(row)),
    )
  }
  client.on('missed', ({ seq, call, from, media, reason, at }) => {
    const others = read(key).filter((known) => known.seq !== seq)
    write(key, [{ seq, call, from, media, reason, at }, ...others].slice(0, MOST_SHOWN))
    render()
    toast(`Missed call from ${from}.`)
  })
  render()
  return { element, render }
}

function read(key: string): readonly Noted[] {
  try {
    const noted: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    // Written here; where somebody else did it, there is nothing to show.
    return Array.isArray(noted) ? (noted as readonly Noted[]) : []
  } catch {
    return []
  }
}

function write(key: string, noted: readonly Noted[]): void {
  try {
    localStorage.setItem(key, JSON.stringify(noted))
  } catch {
    // Where nothing can be kept they are gone with the page.
  }
}
