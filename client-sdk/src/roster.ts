import type {
  CallView,
  DeviceId,
  ParticipantId,
  ParticipantView,
  Sending,
  TrackSource,
  UserId,
} from '@parley/protocol'
import type { StreamKey } from './core/media-plan.ts'
import type { Assessment } from './e2ee/identity/identity.ts'
import { Emitter } from './emitter.ts'
import type { Playback } from './playback.ts'
import type { RemoteStream, TileSize } from './ports.ts'
import { TrackHandle } from './tracks.ts'
import type { LayerState, RemoteTrack } from './tracks.ts'

/** Somebody else's device in the call. */
export interface Participant {
  readonly id: ParticipantId
  readonly user: UserId
  readonly device: DeviceId
  /** False while its signaling connection is away; its media may well go on. */
  readonly connected: boolean
  /** He holds the call: he sends and hears nothing until he takes it up again. */
  readonly onHold: boolean
  /** Since when he asks to speak, ms since the epoch; undefined while he does not. */
  readonly handRaisedAt: number | undefined
  /** What it says it sends: false is muted. */
  readonly sending: Sending
  /** He moderates the call. */
  readonly moderator: boolean
  /** What a moderator has switched off. */
  readonly silenced: readonly TrackSource[]
  /** Who he is, as far as this device knows; undefined until he has shown it, and without encryption. */
  readonly identity: Assessment | undefined
  /** What of him comes and cannot be opened: it is sealed with keys that this device does not have. */
  readonly unreadable: readonly TrackSource[]
  readonly tracks: readonly RemoteTrack[]
}

interface RosterEvents {
  joined: [participant: Participant]
  left: [participant: Participant]
  updated: [participant: Participant]
  track: [track: RemoteTrack, participant: Participant]
  trackRemoved: [track: RemoteTrack, participant: Participant]
  /** The size of a tile changed. */
  tiles: []
}

class Member implements Participant {
  view: ParticipantView
  identity: Assessment | undefined
  unreadable: readonly TrackSource[] = []
  readonly handles = new Map<StreamKey, TrackHandle>()

  constructor(view: ParticipantView) {
    this.view = view
  }

  get id() {
    return this.view.id
  }
  get user() {
    return this.view.user
  }
  get device() {
    return this.view.device
  }
  get connected() {
    return this.view.connected
  }
  get onHold() {
    return this.view.onHold
  }
  get handRaisedAt() {
    return this.view.handRaisedAt
  }
  get sending() {
    return this.view.sending
  }
  get moderator() {
    return this.view.moderator ?? false
  }
  get silenced(): readonly TrackSource[] {
    return this.view.silenced ?? []
  }
  get tracks(): readonly RemoteTrack[] {
    return [...this.handles.values()]
  }

  /** Whether a stream of his is to be played: none that a moderator has switched off. */
  plays(source: TrackSource): boolean {
    return !this.silenced.includes(source)
  }
}

/** The other people of a call and their tracks, as stable objects over changing views and paths. */
export class Roster extends Emitter<RosterEvents> {
  readonly participants = new Map<ParticipantId, Participant>()
  readonly #members = new Map<ParticipantId, Member>()
  readonly #playback: Playback

  constructor(playback: Playback) {
    super()
    this.#playback = playback
  }

  /** The tiles of all videos that were ever attached. */
  get tiles(): ReadonlyMap<StreamKey, TileSize> {
    const tiles = new Map<StreamKey, TileSize>()
    for (const { handles } of this.#members.values()) {
      for (const [key, handle] of handles) {
        if (handle.kind === 'video' && handle.tile) tiles.set(key, handle.tile)
      }
    }
    return tiles
  }

  update(view: CallView, self: ParticipantId | undefined): void {
    const others = view.participants.filter(({ id }) => id !== self)
    const present = new Set(others.map(({ id }) => id))
    for (const member of this.#members.values()) {
      if (!present.has(member.id)) this.#remove(member)
    }
    for (const other of others) {
      const member = this.#members.get(other.id)
      if (!member) this.#add(new Member(other))
      else if (differs(member.view, other)) {
        member.view = other
        this.emit('updated', member)
      }
    }
  }

  /** Takes the streams as they are chosen now. Those of people who are not here are left aside. */
  show(streams: ReadonlyMap<StreamKey, RemoteStream>): void {
    for (const member of this.#members.values()) {
      for (const [key, handle] of member.handles) {
        if (streams.has(key) && member.plays(handle.source)) continue
        this.#removeTrack(member, key, handle)
      }
    }
    for (const [key, { participant, source, track }] of streams) {
      const member = this.#members.get(participant)
      if (!member?.plays(source)) continue
      const known = member.handles.get(key)
      if (known) {
        known.replace(track)
        continue
      }
      const handle = new TrackHandle(source, track, this.#playback, () => this.emit('tiles'))
      member.handles.set(key, handle)
      this.emit('track', handle, member)
    }
  }

  /** Notes how much of a stream is received. */
  layer(
    key: StreamKey,
    state: LayerState,
  ): { track: RemoteTrack; participant: Participant } | undefined {
    for (const participant of this.#members.values()) {
      const track = participant.handles.get(key)
      if (!track) continue
      track.layer = state
      return { track, participant }
    }
    return undefined
  }

  /** Takes what is thought of each one now. */
  identify(assessmentOf: (id: ParticipantId) => Assessment | undefined): void {
    for (const member of this.#members.values()) {
      const identity = assessmentOf(member.id)
      if (identity === member.identity) continue
      member.identity = identity
      this.emit('updated', member)
    }
  }

  /** These streams come and cannot be opened; all others can. */
  mark(streams: readonly Pick<RemoteStream, 'participant' | 'source'>[]): void {
    for (const member of this.#members.values()) {
      const own = streams.filter(({ participant }) => participant === member.id)
      const unreadable = own.map(({ source }) => source)
      if (unreadable.join() === member.unreadable.join()) continue
      member.unreadable = unreadable
      this.emit('updated', member)
    }
  }

  clear(): void {
    for (const member of this.#members.values()) this.#remove(member)
  }

  #add(member: Member): void {
    this.#members.set(member.id, member)
    this.participants.set(member.id, member)
    this.emit('joined', member)
  }

  #remove(member: Member): void {
    for (const [key, handle] of member.handles) this.#removeTrack(member, key, handle)
    this.#members.delete(member.id)
    this.participants.delete(member.id)
    this.emit('left', member)
  }

  #removeTrack(member: Member, key: StreamKey, handle: TrackHandle): void {
    handle.detach()
    member.handles.delete(key)
    this.emit('trackRemoved', handle, member)
  }
}

function differs(a: ParticipantView, b: ParticipantView): boolean {
  const facts = ({
    connected,
    onHold,
    handRaisedAt,
    sending,
    moderator,
    silenced = [],
  }: ParticipantView) => {
    const { microphone, camera, screen } = sending
    return [
      connected,
      onHold,
      handRaisedAt,
      microphone,
      camera,
      screen,
      moderator,
      ...silenced,
    ].join()
  }
  return facts(a) !== facts(b)
}
