import type { Call } from '../src/index.ts'
import { avatar, el } from './dom.ts'
import { icon } from './icons.ts'
import { announce, attempt } from './notices.ts'
import { ring } from './ringtone.ts'

const RING_VOLUME = 0.16

/** Rings, and asks what to do with a call. The sheet goes away with the ringing. */
export function incomingSheet(call: Call, answered: (call: Call) => void): void {
  const from = call.from ?? 'Somebody'
  const kind = call.media.video ? 'Video call' : 'Audio call'
  const answer = async (video: boolean) => {
    const buttons = sheet.querySelectorAll('button')
    for (const button of buttons) button.disabled = true
    if (await attempt(() => call.accept({ audio: true, video }))) answered(call)
    // Where the camera is refused the call rings on, and can be answered without.
    else for (const button of buttons) button.disabled = false
  }
  const withVideo = el(
    'button',
    { class: 'button primary', type: 'button', onclick: () => void answer(true) },
    icon('camera'),
    'Video',
  )
  const withAudio = el(
    'button',
    {
      class: call.media.video ? 'button' : 'button primary',
      type: 'button',
      onclick: () => void answer(false),
    },
    icon('phone'),
    'Audio',
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
      el('p', { class: 'hint' }, `${kind} for you`),
      el('div', { class: 'answers' }, decline, withAudio, withVideo),
    ),
  )
  // Escape declines, as the button does.
  sheet.addEventListener('cancel', () => void call.decline())
  document.body.append(sheet)
  sheet.showModal()
  ;(call.media.video ? withVideo : withAudio).focus()
  announce(`${kind} from ${from}`)
  const silence = ring(RING_VOLUME)
  const off = call.on('state', (state) => {
    if (state === 'ringing') return
    off()
    silence()
    sheet.remove()
  })
}
