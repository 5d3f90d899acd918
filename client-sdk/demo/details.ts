import type { Call, MediaSample } from '../src/index.ts'
import { el, fill } from './dom.ts'
import { reducedOwn } from './tile.ts'
import { pathWords, qualityWords, reasonWords, wordsForBitrate, wordsForLayer } from './words.ts'

const REFRESH_MS = 1_000

/** The panel that says how the call goes and why it is not better. */
export function detailsPanel(call: Call) {
  const body = el('div', {})
  const element = el(
    'section',
    {
      class: 'details',
      id: 'details',
      'aria-label': 'Connection details',
      hidden: true,
      tabindex: -1,
    },
    el('h2', {}, 'Connection'),
    body,
  )
  let before: MediaSample | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  const refresh = async () => {
    const sample = await call.stats()
    fill(body, facts(call, sample, before), remarks(call))
    before = sample
  }
  const show = (open: boolean) => {
    element.hidden = !open
    clearInterval(timer)
    if (!open) return
    void refresh()
    timer = setInterval(() => void refresh(), REFRESH_MS)
    element.focus()
  }
  return { element, toggle: () => show(element.hidden !== false), close: () => show(false) }
}

function facts(call: Call, sample: MediaSample, before: MediaSample | undefined): HTMLElement {
  const { quality, path } = call
  const seconds = before ? (sample.at - before.at) / 1_000 : 0
  const rate = (kind: 'inbound' | 'outbound') => {
    if (!before || seconds <= 0) return '…'
    const bytes = (of: MediaSample) => of[kind].reduce((sum, stream) => sum + stream.bytes, 0)
    return wordsForBitrate((Math.max(0, bytes(sample) - bytes(before)) * 8) / seconds)
  }
  const rtt = sample.pair?.rttMs
  const rows: readonly (readonly [string, string])[] = [
    ['Quality', qualityWords[quality.level]],
    ['Path', path ? pathWords[path].long : 'Not yet known'],
    ['Round trip', rtt === undefined ? '…' : `${Math.round(rtt)} ms`],
    ['Receiving', rate('inbound')],
    ['Sending', rate('outbound')],
    ['End-to-end encrypted', call.encrypted ? 'Yes' : 'No'],
  ]
  return el('dl', {}, ...rows.flatMap(([term, value]) => [el('dt', {}, term), el('dd', {}, value)]))
}

function remarks(call: Call): HTMLElement {
  const reasons = call.quality.reasons.map((reason) => reasonWords[reason])
  const received = [...call.participants.values()].flatMap(({ user, tracks }) =>
    tracks.flatMap(({ layer }) => {
      const words = layer && wordsForLayer(layer)
      return words === undefined ? [] : [`${user}. ${words}`]
    }),
  )
  const lines = [...reasons, ...received, ...reducedOwn(call.local)]
  return el('ul', {}, ...lines.map((line) => el('li', {}, line)))
}
