import type { Call } from '../src/index.ts'
import { el } from './dom.ts'
import { icon } from './icons.ts'
import { announce } from './notices.ts'

/** What somebody sees who waits to be let into a call: nothing of it. */
export function hallwayScreen(call: Call) {
  const leave = el(
    'button',
    { class: 'button danger', type: 'button', onclick: () => void call.hangup() },
    icon('hangup'),
    'Stop waiting',
  )
  const words = 'Somebody in the call has to let you in. Nobody sees or hears you until then.'
  const element = el(
    'main',
    { class: 'stage in-call hallway' },
    el('header', {}, el('div', { class: 'title' }, el('h1', {}, call.room ?? 'Call'))),
    el(
      'div',
      { class: 'waiting' },
      el('h2', {}, 'You are waiting to be let in'),
      el('p', {}, words),
      leave,
    ),
  )
  return {
    element,
    focus() {
      leave.focus()
      announce(`You are waiting to be let in. ${words}`)
    },
  }
}
