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
import { askForDtx, withoutAudioLevels } from '../core/sdp.ts'
import { hasDecoded } from '../core/stats.ts'
import type { PeerBinding } from '../e2ee/peer-binding.ts'
import { checkCertificate } from './certificate.ts'
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
  /** Proves who has the path; undefined where the app has turned encryption off. */
  readonly binding: PeerBinding | undefined
  /** The other end has not proven who it is, so the path is not used. */
  readonly refused: (reason: string) => void
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
  #refused = false
  #letGo = false
  /** Whether the certificate in use was seen to be the signed one. */
  #certified = false
  /** Signals leave in order, though some are signed first. */
  #outbox: Promise<void> = Promise.resolve()

  constructor(options: PeerSessionOptions) {
    this.#options = options
    this.#pc = options.connection
    this.#negotiation = newNegotiation(options.polite)
    const pc = this.#pc
    pc.onnegotiationneeded = () => this.#dispatch({ type: 'needed' })
    pc.onicecandidate = ({ candidate }) => this.#sendCandidate(candidate)
    pc.onconnectionstatechange = () => {
      this.#state = pathState(this.#state, pc.connectionState)
      void this.#checkCertificate()
      this.#options.listener.changed()
      if (pc.connectionState === 'failed') this.#options.listener.broken()
    }
    // Makes the two connect even while neither sends anything, and shows when the other one closes.
    const channel = pc.createDataChannel('parley', { negotiated: true, id: 0 })
    channel.onclose = () => {
      if (this.#closed) return
      this.#letGo = true
      this.#options.listener.changed()
    }
  }

  /** The other side has ended the path, which shows sooner in nothing else. */
  get letGo(): boolean {
    return this.#letGo
  }

  get state(): PathState {
    return this.#refused ? 'failed' : this.#state
  }

  /** Whether the other end is who it should be; nothing of it is shown before. */
  get #proven(): boolean {
    const { binding } = this.#options
    return !this.#refused && (binding === undefined || (binding.confirmed && this.#certified))
  }

  get streams(): ReadonlyMap<StreamKey, RemoteStream> {
    return this.#streams
  }

  get protection(): PathProtection {
    if (this.#options.binding === undefined) return 'plain'
    return this.#proven ? 'sealed' : 'pending'
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
    if ('confirmation' in signal) void this.#onConfirmation(signal.confirmation)
    else this.#dispatch({ type: 'signal', signal })
  }

  async decoded(): Promise<ReadonlySet<StreamKey>> {
    const found = new Set<StreamKey>()
    if (!this.#proven) return found
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

  async #applyRemote(remote: RemoteDescription): Promise<void> {
    const { description, sources } = remote
    if (!(await this.#isProven(remote))) return
    if (this.#closed) return
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

  /** Whether a description was signed by the device that it should come from. */
  async #isProven({ description, proof, round }: RemoteDescription): Promise<boolean> {
    const { binding } = this.#options
    const { type, sdp } = description
    if (!binding) return true
    if (type !== 'offer' && type !== 'answer') return false
    const sound = await binding.check({ type, sdp, round }, proof)
    if (!sound) {
      this.#refuse(`the ${type} was not signed by the other device`)
      return false
    }
    const { confirmation } = sound
    if (confirmation !== undefined) this.#post(() => Promise.resolve({ confirmation }))
    return true
  }

  async #onConfirmation(confirmation: string): Promise<void> {
    const { binding } = this.#options
    // One of an answer that a newer one has replaced says nothing.
    if (await binding?.confirm(confirmation)) this.#readStreams()
  }

  async #checkCertificate(): Promise<void> {
    const { binding } = this.#options
    if (!binding || this.#certified || this.#pc.connectionState !== 'connected') return
    const verdict = await checkCertificate(this.#pc, binding.fingerprint)
    if (verdict === 'other') {
      this.#refuse('the certificate in use is not the signed one')
      return
    }
    this.#certified = true
    this.#readStreams()
  }

  /** Fails closed: the path ends, and is not tried again. */
  #refuse(reason: string): void {
    if (this.#refused || this.#closed) return
    this.#refused = true
    this.#streams = new Map()
    this.#options.refused(reason)
    this.close()
    this.#options.listener.changed()
  }

  /** Sends what `make` gives, after what was posted before. */
  #post(make: () => Promise<PeerSignal | undefined>): void {
    this.#outbox = this.#outbox.then(make).then(
      (signal) => {
        if (signal && !this.#closed) this.#options.send(signal)
      },
      () => undefined,
    )
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
    const description = { type: local.type, sdp: askForDtx(withoutAudioLevels(local.sdp)) }
    const { type } = local
    const sources = this.#ourSources()
    this.#post(async () => {
      const proof = await this.#options.binding?.seal({ type, sdp: local.sdp, round })
      return { description, sources, round, ...(proof !== undefined && { proof }) }
    })
    this.#cancelResync()
    if (local.type === 'offer') {
      const { clock } = this.#options
      this.#cancelResync = clock.after(RESYNC_MS, () => this.resync())
    }
  }

  #sendCandidate(candidate: RTCIceCandidate | null): void {
    if (!candidate) return
    const { candidate: line, sdpMid, sdpMLineIndex, usernameFragment } = candidate
    const signal = { candidate: { candidate: line, sdpMid, sdpMLineIndex, usernameFragment } }
    this.#post(() => Promise.resolve(signal))
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
    if (this.#closed || !this.#proven) return
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
