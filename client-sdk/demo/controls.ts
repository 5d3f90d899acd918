import type { Call } from '../src/index.ts'
import { el, fill } from './dom.ts'
import { icon } from './icons.ts'
import type { IconName } from './icons.ts'
import { moreSheet } from './more.ts'
import type { Deed } from './more.ts'
import { attempt } from './notices.ts'

interface ControlLook {
  readonly icon: IconName
  readonly label: string
  readonly name: string
  readonly pressed?: boolean
}

/** What opens from the row of buttons: the choice of more people, or of who or what takes one's place. */
export interface ControlSheets {
  readonly talk: () => void
  readonly invite: () => void
  readonly transfer: () => void
  readonly move: () => void
}

/**
 * The row of buttons below a call. On a narrow page those that are needed least stand in a sheet
 * instead, as those do on every page that give the call away.
 */
export function controls(call: Call, { invite, transfer, talk, move }: ControlSheets) {
  const microphone = control('toggles-off', () =>
    attempt(() => call.setMicrophone(!call.sending.microphone)),
  )
  const camera = control('toggles-off', () => attempt(() => call.setCamera(!call.sending.camera)))
  const share = () => attempt(() => (call.sending.screen ? call.stopScreen() : call.shareScreen()))
  const screen = control('toggles-on wide', share)
  const pause = () => attempt(() => (call.onHold ? call.resume() : call.hold()))
  const hold = control('toggles-on', pause)
  const hand = control('toggles-on', () =>
    attempt(() => (call.handRaisedAt === undefined ? call.raiseHand() : call.lowerHand())),
  )
  const say = control('', talk)
  const add = control('wide', invite)
  const more = control('', () => moreSheet(deeds()))
  const leave = control('leave', () => call.hangup())
  const canShare = 'getDisplayMedia' in (navigator.mediaDevices as object)
  const element = el(
    'div',
    { class: 'controls', role: 'toolbar', 'aria-label': 'Call controls' },
    microphone,
    camera,
    canShare && screen,
    hold,
    hand,
    say,
    call.room === undefined && add,
    more,
    leave,
  )
  const deeds = (): readonly Deed[] => {
    const isNamed = call.room !== undefined
    const alone = call.participants.size === 0
    const { sending, onHold } = call
    const all: readonly (Deed & { readonly off: boolean })[] = [
      {
        ...{ icon: 'screen', off: !canShare, narrow: true, run: share },
        label: sending.screen ? 'Stop sharing' : 'Share screen',
      },
      {
        ...{ icon: 'pause', off: alone || onHold, narrow: true, run: pause },
        label: 'Hold',
      },
      { icon: 'add', off: isNamed, narrow: true, run: invite, label: 'Add people' },
      { icon: 'forward', off: isNamed || alone, run: transfer, label: 'Transfer call' },
      { icon: 'device', off: alone, run: move, label: 'Move to another device' },
    ]
    return all.filter(({ off }) => !off)
  }
  const render = () => {
    const { sending } = call
    look(microphone, {
      icon: sending.microphone ? 'mic' : 'mic-off',
      label: sending.microphone ? 'Mute' : 'Unmute',
      name: 'Microphone',
      pressed: sending.microphone,
    })
    look(camera, {
      icon: sending.camera ? 'camera' : 'camera-off',
      label: sending.camera ? 'Stop video' : 'Start video',
      name: 'Camera',
      pressed: sending.camera,
    })
    look(screen, {
      icon: 'screen',
      label: sending.screen ? 'Stop sharing' : 'Share',
      name: 'Share screen',
      pressed: sending.screen,
    })
    look(hold, {
      icon: call.onHold ? 'play' : 'pause',
      label: call.onHold ? 'Resume' : 'Hold',
      name: 'Hold',
      pressed: call.onHold,
    })
    look(hand, {
      icon: 'hand',
      label: call.handRaisedAt === undefined ? 'Hand' : 'Lower',
      name: 'Raise hand',
      pressed: call.handRaisedAt !== undefined,
    })
    look(say, { icon: 'smile', label: 'React', name: 'React or write' })
    look(more, { icon: 'more', label: 'More', name: 'More' })
    // There is nobody to hold or to talk to before somebody is there.
    const alone = call.participants.size === 0
    hold.hidden = hand.hidden = say.hidden = alone
    // Who holds the call wants it back, and is not heard asking to speak.
    hold.classList.toggle('wide', !call.onHold)
    hand.classList.toggle('wide', call.onHold)
    more.classList.toggle('narrow', alone)
    look(add, { icon: 'add', label: 'Add', name: 'Add people' })
    const word = call.state === 'dialing' || call.state === 'ringing' ? 'Cancel' : 'Leave'
    look(leave, { icon: 'hangup', label: word, name: `${word} call` })
  }
  render()
  return { element, render, focus: () => microphone.focus() }
}

function control(kind: string, run: () => unknown): HTMLButtonElement {
  const button = el('button', { class: `control ${kind}`, type: 'button' })
  button.addEventListener('click', () => void run())
  return button
}

function look(button: HTMLButtonElement, { icon: name, label, name: title, pressed }: ControlLook) {
  button.setAttribute('aria-label', title)
  button.title = label
  if (pressed !== undefined) button.setAttribute('aria-pressed', String(pressed))
  fill(
    button,
    el('span', { class: 'disc' }, icon(name)),
    el('span', { 'aria-hidden': 'true' }, label),
  )
}
