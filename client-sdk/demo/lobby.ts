import type { CallClient, ConnectionState, OwnPresence, Presence } from '../src/index.ts'
import { avatar, el, fill } from './dom.ts'
import { brandMark, icon } from './icons.ts'
import { attempt } from './notices.ts'
import { settingsSheet } from './wake.ts'
import { ownPresenceWords, presenceWords, wordsForAge } from './words.ts'

/** What people do in the lobby. */
export interface LobbyActions {
  readonly call: (user: string, media: { audio: boolean; video: boolean }) => void
  readonly join: (room: string, media: { audio: boolean; video: boolean }) => void
  readonly reconnect: () => void
  readonly signOut: () => void
}

const linkWords: Readonly<Record<ConnectionState, string>> = {
  idle: '',
  connected: '',
  connecting: 'Connecting to the server…',
  reconnecting: 'The connection is lost. Trying again…',
  closed: 'You are not connected.',
}

/** Who is there to call, and rooms to join. `render` shows the client as it is now. */
export function lobbyScreen(client: CallClient, room: string | undefined, actions: LobbyActions) {
  const people = el('div', {})
  const link = el('div', { class: 'link', role: 'status', hidden: true })
  const element = el(
    'main',
    { class: 'lobby' },
    header(client, actions),
    link,
    el(
      'div',
      { class: 'columns' },
      el(
        'section',
        { class: 'card panel', 'aria-label': 'People' },
        el('h2', {}, 'People'),
        people,
      ),
      el('div', { class: 'stack' }, roomPanel(room, actions), namePanel(actions)),
    ),
  )
  const render = () => {
    const state = client.connection
    link.hidden = linkWords[state] === ''
    fill(
      link,
      linkWords[state],
      state === 'closed' &&
        el(
          'button',
          { class: 'button', type: 'button', onclick: actions.reconnect },
          'Connect here',
        ),
    )
    renderPeople(people, client, actions)
  }
  render()
  return {
    element,
    render,
    /** Goes back to the control that a call was started from; rows may be new by now. */
    focus: (key: string | undefined) => focusOn(element, key),
  }
}

function header(client: CallClient, actions: LobbyActions): HTMLElement {
  const user = client.user ?? ''
  return el(
    'header',
    {},
    el('h1', { class: 'brand' }, brandMark(), 'Parley'),
    el(
      'div',
      { class: 'me' },
      avatar(user),
      el('span', { class: 'label' }, 'Signed in as ', el('strong', {}, user)),
      presenceChoice(client),
      el(
        'button',
        {
          class: 'button quiet round',
          type: 'button',
          'aria-label': 'Settings',
          title: 'Settings',
          onclick: () => void settingsSheet(client),
        },
        icon('gear'),
      ),
      el('button', { class: 'button quiet', type: 'button', onclick: actions.signOut }, 'Sign out'),
    ),
  )
}

/** How the others see one. */
function presenceChoice(client: CallClient): HTMLElement {
  const select = el(
    'select',
    {
      class: 'presence',
      'aria-label': 'How others see you',
      onchange: () => {
        // The options are these.
        void attempt(() => client.setPresence(select.value as OwnPresence))
      },
    },
    ...Object.entries(ownPresenceWords).map(([value, words]) =>
      el('option', { value, selected: value === client.ownPresence }, words),
    ),
  )
  return select
}

function renderPeople(box: HTMLElement, client: CallClient, actions: LobbyActions): void {
  const others = client
    .presence()
    .filter(({ user }) => user !== client.user)
    .sort((a, b) => rank(a) - rank(b) || a.user.localeCompare(b.user))
  if (others.length === 0) {
    const another = new URL('?user=Bob', location.href).href
    fill(
      box,
      el(
        'p',
        { class: 'empty' },
        'Nobody else is here yet. Open ',
        el('a', { href: another, target: '_blank', rel: 'noopener' }, 'a second tab as Bob'),
        ' to try a call.',
      ),
    )
    return
  }
  // Kept by name, so that the keyboard focus survives a change of somebody's status.
  const focused = box.querySelector<HTMLElement>(':focus')?.dataset['key']
  fill(box, el('ul', { class: 'people' }, ...others.map((person) => personRow(person, actions))))
  focusOn(box, focused)
}

/** Those who have left stand below the others. */
function rank({ status }: Presence): number {
  return status === 'offline' ? 1 : 0
}

function wordsFor({ status, lastSeen }: Presence): string {
  return status === 'offline' && lastSeen !== undefined
    ? `Last seen ${wordsForAge(lastSeen, Date.now())}`
    : presenceWords[status]
}

function focusOn(box: HTMLElement, key: string | undefined): void {
  if (key !== undefined) {
    box.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus()
  }
}

function personRow(person: Presence, actions: LobbyActions): HTMLElement {
  const { user, status } = person
  const callButton = (video: boolean) =>
    el(
      'button',
      {
        class: 'button round call',
        type: 'button',
        title: video ? 'Video call' : 'Audio call',
        'aria-label': `${video ? 'Video' : 'Audio'} call to ${user}`,
        'data-key': `${video ? 'video' : 'audio'}:${user}`,
        onclick: () => actions.call(user, { audio: true, video }),
      },
      icon(video ? 'camera' : 'phone'),
    )
  return el(
    'li',
    {},
    avatar(user),
    el(
      'div',
      { class: 'who' },
      el('div', { class: 'name' }, user),
      el('div', { class: `status ${status}` }, wordsFor(person)),
    ),
    callButton(false),
    callButton(true),
  )
}

function roomPanel(room: string | undefined, actions: LobbyActions): HTMLElement {
  const input = el('input', {
    id: 'room',
    required: true,
    maxlength: 64,
    pattern: '[\\p{L}\\p{N}._\\-]+',
    title: 'Letters, digits and . _ - only',
    placeholder: 'standup',
    autocomplete: 'off',
    value: room ?? '',
  })
  const join = (video: boolean) => actions.join(input.value.trim(), { audio: true, video })
  const form = el(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault()
        const { submitter } = event as SubmitEvent
        join(submitter?.dataset['media'] !== 'audio')
      },
    },
    el('div', { class: 'field' }, el('label', { for: 'room' }, 'Room name'), input),
    el(
      'div',
      { class: 'actions' },
      el(
        'button',
        { class: 'button primary', type: 'submit', 'data-key': 'join' },
        icon('camera'),
        'Join',
      ),
      el(
        'button',
        { class: 'button', type: 'submit', 'data-media': 'audio' },
        icon('mic'),
        'Audio only',
      ),
    ),
  )
  return el(
    'section',
    { class: 'card panel', 'aria-label': 'Join a room' },
    el('h2', {}, 'Join a room'),
    form,
  )
}

function namePanel(actions: LobbyActions): HTMLElement {
  const input = el('input', {
    id: 'callee',
    required: true,
    maxlength: 64,
    placeholder: 'Carol',
    autocomplete: 'off',
  })
  const form = el(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault()
        const { submitter } = event as SubmitEvent
        const video = submitter?.dataset['media'] !== 'audio'
        actions.call(input.value.trim(), { audio: true, video })
      },
    },
    el('div', { class: 'field' }, el('label', { for: 'callee' }, 'Name'), input),
    el(
      'div',
      { class: 'actions' },
      el('button', { class: 'button', type: 'submit' }, icon('camera'), 'Video call'),
      el(
        'button',
        { class: 'button', type: 'submit', 'data-media': 'audio' },
        icon('phone'),
        'Audio call',
      ),
    ),
  )
  return el(
    'section',
    { class: 'card panel', 'aria-label': 'Call by name' },
    el('h2', {}, 'Call by name'),
    form,
  )
}
