import type { ParticipantId, PeerSignal, TrackSource } from '@parley/protocol'
import type { PathProtection } from '../core/frames/call-protection.ts'
import { peerEncodings } from '../core/encodings.ts'
import { streamKey } from '../core/media-plan.ts'
import type { StreamKey } from '../core/media-plan.ts'
import { negotiation, newNegotiation } from '../core/negotiation.ts'
import type {
  Candidate,
  Negotiation,
  NegotiationEffect,
  NegotiationEvent,
  RemoteDescription,
} from '../core/negotiation.ts'
import { pathState } from '../core/path-state.ts'
import type { PathState } from '../core/path-state.ts'
import { askForDtx } from '../core/sdp.ts'
import { hasDecoded } from '../core/stats.ts'
import type {
  Clock,
  LocalSource,
  LocalSources,
  PathListener,
  PathSession,
  PeerConnection,
  RemoteStream,
} from '../ports.ts'

/** What a direct path is made with. */
export interface PeerSessionOptions {
  readonly peer: ParticipantId
  readonly polite: boolean
  readonly clock: Clock
  readonly connection: PeerConnection
  readonly listener: PathListener
  /** Hands a signal to the other device, in order. */
  readonly send: (signal: PeerSignal) => void
}

/** An offer that is not answered is repeated after this long. */
const RESYNC_MS = 5_000

/**
 * Media between two devices. Each source has a transceiver of its own that only sends, so that a
 * media section has one owner.
 */
export class PeerSession implements PathSession {
  readonly #options: PeerSessionOptions
  readonly #pc: PeerConnection
  readonly #slots = new Map<TrackSource, RTCRtpTransceiver>()
  #negotiation: Negotiation
  /** Which of their sources each media section carries. */
  #theirSources: Readonly<Record<string, TrackSource>> = {}
  #streams: ReadonlyMap<StreamKey, RemoteStream> = new Map()
  #cancelResync: () => void = () => undefined
  #state: PathState = 'connecting'
  #closed = false

  constructor(options: PeerSessionOptions) {
    this.#options = options
    this.#pc = options.connection
    this.#negotiation = newNegotiation(options.polite)
    const pc = this.#pc
    pc.onnegotiationneeded = () => this.#dispatch({ type: 'needed' })
    pc.onicecandidate = ({ candidate }) => this.#sendCandidate(candidate)
    pc.onconnectionstatechange = () => {
      this.#state = pathState(this.#state, pc.connectionState)
      this.#options.listener.changed()
      if (pc.connectionState === 'failed') this.#options.listener.broken()
    }
    // Makes the two connect even while neither sends anything.
    pc.createDataChannel('parley', { negotiated: true, id: 0 })
  }

  get state(): PathState {
    return this.#state
  }

  get streams(): ReadonlyMap<StreamKey, RemoteStream> {
    return this.#streams
  }

  get protection(): PathProtection {
    return 'plain'
  }

  get publishing(): boolean {
    return this.state === 'connected'
  }

  publish(sources: LocalSources): void {
    if (this.#closed) return
    for (const [source, local] of sources) this.#publishOne(source, local)
    for (const [source, slot] of this.#slots) {
      if (sources.has(source) || slot.direction === 'inactive') continue
      slot.direction = 'inactive'
      void slot.sender.replaceTrack(null)
    }
  }

  signal(signal: PeerSignal): void {
    this.#dispatch({ type: 'signal', signal })
  }

  async decoded(): Promise<ReadonlySet<StreamKey>> {
    const found = new Set<StreamKey>()
    for (const transceiver of this.#receiving()) {
      const key = this.#keyOf(transceiver)
      const report = await transceiver.receiver.getStats()
      if (key && hasDecoded(report.values())) found.add(key)
    }
    return found
  }

  async reports(): Promise<readonly RTCStatsReport[]> {
    return this.#closed ? [] : [await this.#pc.getStats()]
  }

  restartIce(): void {
    if (!this.#closed) this.#pc.restartIce()
  }

  resync(): void {
    this.#dispatch({ type: 'resync' })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#cancelResync()
    const pc = this.#pc
    pc.onnegotiationneeded = null
    pc.onicecandidate = null
    pc.onconnectionstatechange = null
    pc.close()
  }

  #publishOne(source: TrackSource, { track }: LocalSource): void {
    const slot = this.#slots.get(source)
    if (!slot) {
      if (track) this.#addSlot(source, track)
      return
    }
    if (slot.direction === 'inactive' && track) slot.direction = 'sendonly'
    if (slot.sender.track !== (track ?? null)) {
      // A closed connection is the one way to fail, and then it no longer matters.
      slot.sender.replaceTrack(track ?? null).catch(() => undefined)
    }
  }

  #addSlot(source: TrackSource, track: MediaStreamTrack): void {
    const sendEncodings = peerEncodings(source)
    const transceiver = this.#pc.addTransceiver(track, { direction: 'sendonly', sendEncodings })
    this.#slots.set(source, transceiver)
  }

  #dispatch(event: NegotiationEvent): void {
    if (this.#closed) return
    const { state, effects } = negotiation(this.#negotiation, event)
    this.#negotiation = state
    for (const effect of effects) this.#run(effect)
  }

  #run(effect: NegotiationEffect): void {
    switch (effect.type) {
      case 'setLocal':
        this.#pc.setLocalDescription().then(
          () => this.#dispatch({ type: 'localDone' }),
          () => this.#dispatch({ type: 'operationFailed' }),
        )
        return
      case 'setRemote':
        void this.#applyRemote(effect.description)
        return
      case 'sendLocal':
        this.#sendLocal(effect.round)
        return
      case 'addCandidate':
        void this.#addCandidate(effect.candidate)
    }
  }

  async #applyRemote({ description, sources }: RemoteDescription): Promise<void> {
    this.#theirSources = sources
    try {
      await this.#pc.setRemoteDescription(description)
    } catch {
      this.#dispatch({ type: 'operationFailed' })
      return
    }
    this.#dispatch({ type: 'remoteDone' })
    this.#readStreams()
  }

  async #addCandidate(candidate: Candidate): Promise<void> {
    try {
      if (candidate) await this.#pc.addIceCandidate(initOf(candidate))
    } catch {
      // One of an offer that was rolled back; those of the present one follow.
    }
  }

  #sendLocal(round: number): void {
    const local = this.#pc.localDescription
    if (!local || (local.type !== 'offer' && local.type !== 'answer')) return
    const description = { type: local.type, sdp: askForDtx(local.sdp) }
    this.#options.send({ description, sources: this.#ourSources(), round })
    this.#cancelResync()
    if (local.type === 'offer') {
      const { clock } = this.#options
      this.#cancelResync = clock.after(RESYNC_MS, () => this.resync())
    }
  }

  #sendCandidate(candidate: RTCIceCandidate | null): void {
    if (!candidate) return
    const { candidate: line, sdpMid, sdpMLineIndex, usernameFragment } = candidate
    this.#options.send({
      candidate: { candidate: line, sdpMid, sdpMLineIndex, usernameFragment },
    })
  }

  #ourSources(): Record<string, TrackSource> {
    const entries = [...this.#slots].flatMap(([source, { mid, direction }]) =>
      mid === null || direction === 'inactive' ? [] : [[mid, source] as const],
    )
    return Object.fromEntries(entries)
  }

  #receiving(): readonly RTCRtpTransceiver[] {
    const own = new Set(this.#slots.values())
    return this.#pc
      .getTransceivers()
      .filter((t) => !own.has(t) && t.direction !== 'stopped' && this.#keyOf(t) !== undefined)
  }

  #keyOf({ mid }: RTCRtpTransceiver): StreamKey | undefined {
    const source = this.#theirSources[mid ?? '']
    return source && streamKey(this.#options.peer, source)
  }

  #readStreams(): void {
    if (this.#closed) return
    const streams = new Map<StreamKey, RemoteStream>()
    for (const transceiver of this.#receiving()) {
      const source = this.#theirSources[transceiver.mid ?? '']
      if (source === undefined) continue
      const participant = this.#options.peer
      const { track } = transceiver.receiver
      streams.set(streamKey(participant, source), { participant, source, track })
    }
    this.#streams = streams
    this.#options.listener.changed()
  }
}

function initOf({ usernameFragment, ...rest }: NonNullable<Candidate>): RTCIceCandidateInit {
  return { ...rest, usernameFragment: usernameFragment ?? null }
}
