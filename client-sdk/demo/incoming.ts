import type { Call } from '../src/index.ts'
import { avatar, el } from './dom.ts'
import { icon } from './icons.ts'
import { announce, attempt } from './notices.ts'
import { ring } from './ringtone.ts'
import { wordsForOffer } from './words.ts'

const RING_VOLUME = 0.16

/** Rings, and asks what to do with a call. The sheet goes away with the ringing. */
export function incomingSheet(call: Call, answered: (call: Call) => void): void {
  const from = call.from ?? 'Somebody'
  const kind = call.media.video ? 'Video call' : 'Audio call'
  const { waiting, offeredBy } = call
  const hint = offeredBy ? wordsForOffer(offeredBy, kind) : `${kind} for you`
  const answer = async (video: boolean, others?: 'hold' | 'end') => {
    const buttons = sheet.querySelectorAll('button')
    for (const button of buttons) button.disabled = true
    if (await attempt(() => call.accept({ audio: true, video, ...(others && { others }) })))
      answered(call)
    // Where the camera is refused the call rings on, and can be answered without.
    else for (const button of buttons) button.disabled = false
  }
  const withVideo = el(
    'button',
    {
      class: 'button primary',
      type: 'button',
      onclick: () => void (waiting ? answer(call.media.video, 'hold') : answer(true)),
    },
    icon(waiting ? 'pause' : 'camera'),
    waiting ? 'Hold and answer' : 'Video',
  )
  const withAudio = el(
    'button',
    {
      class: call.media.video || waiting ? 'button' : 'button primary',
      type: 'button',
      onclick: () => void (waiting ? answer(call.media.video, 'end') : answer(false)),
    },
    icon('phone'),
    waiting ? 'End and answer' : 'Audio',
  )
  const decline = el(
    'button',
    { class: 'button danger', type: 'button', onclick: () => void call.decline() },
    icon('hangup'),
    'Decline',
  )
  const sheet = el(
    'dialog',
    { class: 'sheet incoming', 'aria-labelledby': 'incoming-title' },
    el(
      'div',
      { class: 'content' },
      avatar(from),
      el('h2', { id: 'incoming-title' }, from),
      el('p', { class: 'hint' }, waiting ? `${hint}. You are in another call` : hint),
      el('div', { class: waiting ? 'answers waits' : 'answers' }, decline, withAudio, withVideo),
    ),
  )
  // Escape declines, as the button does.
  sheet.addEventListener('cancel', () => void call.decline())
  document.body.append(sheet)
  sheet.showModal()
  ;(call.media.video || waiting ? withVideo : withAudio).focus()
  announce(`${kind} from ${from}`)
  const silence = ring(RING_VOLUME)
  const off = call.on('state', (state) => {
    if (state === 'ringing') return
    off()
    silence()
    sheet.remove()
  })
}
