import type { Call, CallClient } from '../src/index.ts'
import { alarmBoard } from './alarms.ts'
import { controls } from './controls.ts'
import { detailsPanel } from './details.ts'
import { avatar, el, fill } from './dom.ts'
import { Floor } from './floor.ts'
import { heldCalls } from './held.ts'
import { icon } from './icons.ts'
import { inviteSheet } from './invite.ts'
import { lockBadge } from './lock.ts'
import { moveSheet } from './move.ts'
import { announce, toast } from './notices.ts'
import { ring } from './ringtone.ts'
import { rosterBadge, rosterPanel } from './roster.ts'
import { securityPanel } from './security.ts'
import { hearTalk, talkSheet } from './talk.ts'
import {
  pathWords,
  qualityWords,
  stateWords,
  wordsForDuration,
  wordsForError,
  wordsForNames,
  wordsForSources,
  wordsForState,
} from './words.ts'

const RINGBACK_VOLUME = 0.05

/** Whom a call is with, in words. `called` are the names that were dialled. */
export function titleOf(call: Call, called: readonly string[] = []): string {
  if (call.room !== undefined) return call.room
  const people = [...call.participants.values()].map(({ user }) => user)
  const asked = call.invites.map(({ user }) => user)
  const from = call.from === undefined ? [] : [call.from]
  const names = [people, asked, from, called].find((list) => list.length > 0) ?? []
  return wordsForNames(names)
}

/** What a call's screen is shown with. */
export interface StageOptions {
  /** The names that were dialled. */
  readonly called: readonly string[]
  /** Shows another call in the place of this one. */
  readonly show: (call: Call) => void
}

/** The screen of a running call. */
export function stageScreen(call: Call, client: CallClient, options: StageOptions) {
  const { called, show } = options
  const floor = new Floor(call, client.user ?? '')
  const buttons = controls(call, {
    invite: () => inviteSheet(call, client),
    transfer: () => inviteSheet(call, client, 'transfer'),
    talk: () => talkSheet(call, floor),
    move: () => void moveSheet(call, client),
  })
  const held = heldCalls(call, client, { show, nameOf: titleOf })
  const details = detailsPanel(call)
  const title = el('h1', {})
  const state = el('p', { class: 'state' })
  const badges = el('div', { class: 'badge', hidden: true })
  const bars = el('span', { class: 'bars', 'aria-hidden': 'true' }, ...[1, 2, 3].map(() => el('i')))
  const quality = el('button', { class: 'badge', type: 'button', 'aria-controls': 'details' }, bars)
  const qualityText = el('span', {})
  quality.append(qualityText)
  const roster = rosterPanel(call, client)
  const people = rosterBadge(call, () => turnTo(roster))
  quality.addEventListener('click', () => turnTo(details))
  const security = securityPanel(call)
  const lock = lockBadge(call, () => turnTo(security))
  const alarms = alarmBoard(call)
  const panels = [
    { panel: details, opener: quality },
    { panel: roster, opener: people.element },
    { panel: security, opener: lock.element },
  ]
  /** One of them is open at a time. */
  const turnTo = (chosen: (typeof panels)[number]['panel']) => {
    for (const { panel } of panels) if (panel !== chosen) panel.close()
    chosen.toggle()
  }
  const waiting = el('div', { class: 'waiting' })
  floor.element.append(...panels.map(({ panel }) => panel.element), alarms.element)
  const element = el(
    'main',
    { class: 'stage in-call' },
    el(
      'header',
      {},
      el('div', { class: 'title' }, title, state),
      lock.element,
      badges,
      people.element,
      quality,
    ),
    held.element,
    floor.element,
    buttons.element,
  )
  let connectedAt: number | undefined
  let silence: (() => void) | undefined
  let heldUp = call.lobby.length

  const renderState = () => {
    title.textContent = titleOf(call, called)
    if (call.state === 'connected') connectedAt ??= Date.now()
    const isTimed = call.state === 'connected' && connectedAt !== undefined
    const words = isTimed
      ? wordsForDuration(Date.now() - (connectedAt ?? 0))
      : wordsForState(call.state, call.reconnecting?.rung)
    state.textContent = [words, holdWords(call)].filter(Boolean).join(' · ')
    held.render()
  }
  const renderWaiting = () => {
    const alone = call.participants.size === 0
    const ringing = call.state === 'dialing' || call.state === 'ringing'
    waiting.classList.toggle('ringing', ringing)
    const name = titleOf(call, called)
    if (!alone) {
      waiting.remove()
    } else if (ringing) {
      fill(waiting, avatar(name), el('h2', {}, name), el('p', {}, stateWords[call.state]))
    } else {
      const link = new URL(`?room=${encodeURIComponent(call.room ?? '')}`, location.href).href
      const copy = () => void navigator.clipboard.writeText(link).then(() => toast('Link copied.'))
      fill(
        waiting,
        el('h2', {}, 'You are the only one here'),
        el('p', {}, 'Share the link to this room to bring others in.'),
        el('button', { class: 'button', type: 'button', onclick: copy }, 'Copy link'),
      )
    }
    if (alone && !waiting.isConnected) floor.element.append(waiting)
    floor.alone(alone)
    if (ringing) silence ??= ring(RINGBACK_VOLUME)
    else {
      silence?.()
      silence = undefined
    }
  }
  const render = () => {
    renderState()
    renderWaiting()
    floor.render()
    buttons.render()
    people.render()
    roster.render()
    lock.render()
    security.render()
    alarms.render()
    const { path } = call
    badges.hidden = path === undefined
    badges.textContent = path ? pathWords[path].short : ''
    badges.title = path ? pathWords[path].long : ''
    const { level } = call.quality
    quality.hidden = path === undefined
    bars.dataset['level'] = level
    qualityText.textContent = qualityWords[level]
    quality.setAttribute('aria-label', `Connection quality: ${qualityWords[level]}. Show details`)
  }

  const offs = [
    ...hearTalk(call, floor),
    call.on('hand', (raised) => {
      announce(raised ? 'Your hand is raised' : 'Your hand is down')
      render()
    }),
    call.on('state', (now) => {
      announce(stateWords[now])
      render()
    }),
    call.on('hold', (onHold) => {
      announce(onHold ? 'On hold' : 'Call resumed')
      render()
    }),
    call.on('reconnecting', renderState),
    call.on('path', (path) => {
      announce(pathWords[path].long)
      render()
    }),
    call.on('participant-joined', ({ user }) => {
      if (call.state === 'connected') announce(`${user} joined`)
      render()
    }),
    call.on('participant-left', ({ user }) => {
      if (call.state !== 'ended') announce(`${user} left`)
      render()
    }),
    call.on('participant-updated', render),
    call.on('track', render),
    call.on('track-removed', render),
    call.on('invites', render),
    call.on('active-speaker', render),
    call.on('local', render),
    call.on('policy', () => {
      announce(call.locked ? 'The call is locked' : 'The call is open')
      render()
    }),
    call.on('lobby', (waiting) => {
      const last = waiting.at(-1)
      if (last && waiting.length > heldUp) toast(`${last.user} is waiting to be let in.`)
      heldUp = waiting.length
      render()
    }),
    call.on('mute-requested', ({ by, sources }) =>
      toast(`${by} asks you to switch off your ${wordsForSources(sources)}.`, 'alert'),
    ),
    call.on('muted', ({ by, sources }) =>
      toast(`${by ?? 'The app'} switched off your ${wordsForSources(sources)}.`, 'alert'),
    ),
    call.on('quality', render),
    call.on('encryption', render),
    call.on('verification', render),
    alarms.stop,
    call.on('layer', render),
    call.on('error', ({ code }) => toast(wordsForError(code), 'alert')),
    call.on('playback-blocked', () => askToPlay(call, element)),
  ]
  const clock = setInterval(renderState, 1_000)
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return
    const open = panels.find(({ panel }) => !panel.element.hidden)
    open?.panel.close()
    open?.opener.focus()
  }
  element.addEventListener('keydown', onKey)
  render()
  return {
    element,
    focus: buttons.focus,
    close() {
      for (const off of offs) off()
      clearInterval(clock)
      silence?.()
      details.close()
      floor.close()
    },
  }
}

/** Who holds the call or is being asked to take it, in words. */
function holdWords(call: Call): string {
  if (call.handingOver) return `Transferring to ${call.handingOver.user}…`
  if (call.onHold) return 'On hold'
  const holders = [...call.participants.values()].filter(({ onHold }) => onHold)
  return holders.length > 0
    ? `${wordsForNames(holders.map(({ user }) => user))} put you on hold`
    : ''
}

/** Browsers play sound only after a gesture: offer one. */
function askToPlay(call: Call, stage: HTMLElement): void {
  if (stage.querySelector('.unblock')) return
  const button = el(
    'button',
    { class: 'button primary unblock', type: 'button' },
    icon('mic'),
    'Turn on sound',
  )
  button.addEventListener('click', () => {
    button.remove()
    void call.resumePlayback()
  })
  stage.querySelector('.controls')?.before(button)
  button.focus()
}
