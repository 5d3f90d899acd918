import type { Call, Participant, Sending, Track } from '../src/index.ts'
import { el } from './dom.ts'
import { tileSize } from './grid.ts'
import { Tile } from './tile.ts'

const GAP_PX = 10
/** From this many people on one's own picture is a tile like the others. */
const GRID_FROM = 3

interface Wanted {
  readonly key: string
  readonly name: string
  /** Whose initials stand there while there is no picture. */
  readonly user: string
  readonly source: 'camera' | 'screen'
  readonly participant: Participant | undefined
  readonly tracks: readonly Track[]
  readonly sending: Sending
}

/** The tiles of a call: a grid, a large screen with a strip, or one person with oneself inset. */
export class Floor {
  readonly element = el('div', { class: 'floor' })
  readonly #call: Call
  readonly #user: string
  readonly #tiles = new Map<string, Tile>()
  readonly #grid = el('div', { class: 'tiles' })
  readonly #pip = el('div', { class: 'pip' })
  readonly #observer: ResizeObserver
  #alone = false

  constructor(call: Call, user: string) {
    this.#call = call
    this.#user = user
    this.element.append(this.#grid, this.#pip)
    this.#observer = new ResizeObserver(() => this.#fit())
    this.#observer.observe(this.#grid)
  }

  render(): void {
    const wanted = [...this.#others(), ...this.#own()]
    const keys = new Set(wanted.map(({ key }) => key))
    for (const [key, tile] of this.#tiles) {
      if (keys.has(key)) continue
      tile.remove()
      this.#tiles.delete(key)
    }
    const { activeSpeaker } = this.#call
    for (const each of wanted) {
      const tile = this.#tileFor(each)
      const { handRaisedAt } = each.participant ?? this.#call
      tile.render(each.tracks, each.sending, {
        connected: each.participant?.connected ?? true,
        handRaised: each.source === 'camera' && handRaisedAt !== undefined,
      })
      const id = each.participant?.id ?? this.#call.self
      tile.speaking(each.source === 'camera' && id === activeSpeaker && wanted.length > 2)
      if (each.participant) this.#renderRemote(tile, each, each.participant)
    }
    this.#arrange(wanted)
  }

  /** Shows a reaction of a participant, or one's own. */
  react(participant: string | undefined, reaction: string): void {
    const key = participant === this.#call.self ? 'self' : participant
    if (key !== undefined) this.#tiles.get(key)?.react(reaction)
  }

  /** Makes room for the words that stand here while nobody else does. */
  alone(on: boolean): void {
    this.#grid.hidden = on
    this.#alone = on
  }

  close(): void {
    this.#observer.disconnect()
    for (const tile of this.#tiles.values()) tile.remove()
  }

  #renderRemote(tile: Tile, { source, key }: Wanted, participant: Participant): void {
    const sound = source === 'screen' ? 'screen-audio' : 'microphone'
    if (participant.onHold) tile.note('On hold')
    for (const track of participant.tracks) {
      if (track.source === sound) tile.listen(track)
      if (track.source === source && participant.sending[source]) tile.reduced(track, participant)
    }
    tile.element.dataset['key'] = key
  }

  #others(): readonly Wanted[] {
    return [...this.#call.participants.values()].flatMap((participant) => {
      const { id, user, tracks, sending } = participant
      const base = { name: user, user, participant, tracks, sending }
      const person = { ...base, key: id, source: 'camera' } as const
      if (!tracks.some(({ source }) => source === 'screen')) return [person]
      return [person, { ...base, key: `${id}/screen`, source: 'screen' } as const]
    })
  }

  #own(): readonly Wanted[] {
    const { local: tracks, sending } = this.#call
    const base = { name: 'You', user: this.#user, participant: undefined, tracks, sending }
    const person = { ...base, key: 'self', source: 'camera' } as const
    if (!sending.screen) return [person]
    return [person, { ...base, key: 'self/screen', source: 'screen' } as const]
  }

  #tileFor({ key, name, user, source, participant }: Wanted): Tile {
    const known = this.#tiles.get(key)
    if (known) return known
    const tile = new Tile({ name, user, source, isSelf: participant === undefined })
    this.#tiles.set(key, tile)
    return tile
  }

  #arrange(wanted: readonly Wanted[]): void {
    const people = wanted.filter(({ source }) => source === 'camera')
    const screens = wanted.filter(({ source }) => source === 'screen')
    const spotlight = screens[0]
    const inset = this.#alone || (people.length < GRID_FROM && !spotlight)
    this.#grid.classList.toggle('spotlight', spotlight !== undefined)
    const own = this.#tiles.get('self')
    this.#pip.hidden = !inset
    const inGrid = wanted.filter(({ key }) => !(inset && key === 'self'))
    const order = [...inGrid].sort((a, b) => Number(b === spotlight) - Number(a === spotlight))
    const elements = order.flatMap(({ key }) => this.#tiles.get(key)?.element ?? [])
    place(this.#grid, elements)
    if (inset && own) place(this.#pip, [own.element])
    for (const { key } of wanted) {
      this.#tiles.get(key)?.element.classList.toggle('spot', key === spotlight?.key)
    }
    this.#fit()
  }

  #fit(): void {
    const { clientWidth: width, clientHeight: height } = this.#grid
    const size = tileSize(this.#grid.childElementCount, { width, height }, GAP_PX)
    this.#grid.style.setProperty('--tile-width', `${size.width}px`)
    this.#grid.style.setProperty('--tile-height', `${size.height}px`)
  }
}

/** Moves only what is not in its place: moving a video element interrupts it. */
function place(parent: HTMLElement, elements: readonly HTMLElement[]): void {
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) {
      parent.insertBefore(element, parent.children[index] ?? null)
    }
  })
  while (parent.childElementCount > elements.length) parent.lastElementChild?.remove()
}
