import type { LocalTrack, Participant, RemoteTrack, Sending, Track } from '../src/index.ts'
import { avatar, el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { wordsForLayer } from './words.ts'

/** Whom or what a tile shows. */
export interface TileSubject {
  readonly name: string
  readonly user: string
  readonly source: 'camera' | 'screen'
  readonly isSelf: boolean
}

/** What is known of a person besides tracks. */
export interface TileState {
  readonly connected: boolean
  readonly handRaised: boolean
}

/** How long a reaction stays. */
const REACTION_MS = 4_000

/** One rectangle on the stage: a person, or a screen that a person shows. */
export class Tile {
  readonly element: HTMLElement
  readonly #video = el('video', { playsinline: true, muted: true, tabindex: -1 })
  readonly #audio = el('audio', {})
  readonly #label = el('div', { class: 'label' })
  readonly #note = el('div', { class: 'note', hidden: true })
  readonly #name: string
  readonly #source: 'camera' | 'screen'

  constructor({ name, user, source, isSelf }: TileSubject) {
    this.#name = name
    this.#source = source
    this.#video.muted = true
    this.element = el(
      'div',
      { class: `tile ${source} ${isSelf ? 'self' : ''}`, role: 'group' },
      avatar(user),
      this.#video,
      this.#audio,
      this.#note,
      this.#label,
    )
  }

  /** Shows what the tracks and the mute state are now. */
  render(tracks: readonly Track[], sending: Sending, { connected, handRaised }: TileState): void {
    const find = (source: Track['source']) => tracks.find((track) => track.source === source)
    const picture = find(this.#source)
    const shown = picture !== undefined && sending[this.#source]
    this.element.classList.toggle('has-video', shown)
    picture?.attach(this.#video)
    const muted = this.#source === 'camera' && !sending.microphone
    const what = this.#source === 'screen' ? `${this.#name}’s screen` : this.#name
    const mark = icon('mic-off')
    mark.classList.add('muted')
    const hand = icon('hand')
    hand.classList.add('hand')
    fill(this.#label, handRaised && hand, muted && mark, el('span', {}, what))
    const words = [what, muted && 'muted', handRaised && 'hand raised'].filter(Boolean)
    this.element.setAttribute('aria-label', words.join(', '))
    this.note(connected ? undefined : 'Connection lost…')
  }

  /** Plays a remote person's sound. */
  listen(track: RemoteTrack): void {
    track.attach(this.#audio)
  }

  speaking(on: boolean): void {
    this.element.classList.toggle('speaking', on)
  }

  /** Shows a reaction for a moment. */
  react(reaction: string): void {
    const shown = el('div', { class: 'reaction', 'aria-hidden': 'true' }, reaction)
    this.element.querySelector('.reaction')?.remove()
    this.element.append(shown)
    setTimeout(() => shown.remove(), REACTION_MS)
  }

  note(text: string | undefined): void {
    this.#note.hidden = text === undefined
    this.#note.textContent = text ?? ''
  }

  /** Says what was reduced, for the tile of somebody else. */
  reduced(track: RemoteTrack | undefined, { connected }: Participant): void {
    if (!connected) return
    const layer = track?.layer
    // That a small tile gets a small picture is as it should be.
    this.note(layer && layer.reason !== 'tile-size' ? wordsForLayer(layer) : undefined)
  }

  remove(): void {
    this.element.remove()
    this.#video.srcObject = null
    this.#audio.srcObject = null
  }
}

/** What of one's own video is taken by nobody. */
export function reducedOwn(tracks: readonly LocalTrack[]): readonly string[] {
  return tracks.flatMap(({ demand, source }) => {
    const words = demand && wordsForLayer(demand)
    const name = source === 'screen' ? 'Your screen' : 'Your camera'
    return words === undefined ? [] : [`${name}. ${words}`]
  })
}
