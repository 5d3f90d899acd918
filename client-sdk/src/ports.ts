import type { Millis, ParticipantId, RequestFrame, TrackSource, WireError } from '@parley/protocol'
import type { StreamKey } from './core/media-plan.ts'

/** Time, as far as the SDK needs it. */
export interface Clock {
  now(): Millis
  /** Runs `run` once after `delayMs`; the answer cancels it. */
  after(delayMs: Millis, run: () => void): () => void
}

/** Randomness, so that tests can repeat it. */
export interface Randomness {
  /** 0 ≤ x < 1, for jitter. */
  fraction(): number
  /** A fresh id of 22 URL-safe characters. */
  id(): string
}

/** What `auth` carries in the handshake; the same as the protocol's, with ids as plain text. */
export interface LinkAuth {
  readonly protocol: number
  readonly token: string
  readonly device?: string
  readonly resume?: { readonly session: string; readonly key: string; readonly lastSeq: number }
}

/** What a link tells. After `lost` or `refused` it tells nothing more. */
export interface LinkListener {
  event(frame: unknown): void
  refused(error: WireError | undefined): void
  lost(): void
}

/** One connection to signaling; it does not come back by itself. */
export interface LinkConnection {
  send(frame: RequestFrame, answered: (answer: unknown) => void): void
  close(): void
}

/** Opens connections to signaling. */
export interface Link {
  open(url: string, auth: LinkAuth, listener: LinkListener): LinkConnection
}

/** The part of `RTCPeerConnection` that calls use. */
export type PeerConnection = Pick<
  RTCPeerConnection,
  | 'addTransceiver'
  | 'getTransceivers'
  | 'createDataChannel'
  | 'setLocalDescription'
  | 'setRemoteDescription'
  | 'localDescription'
  | 'addIceCandidate'
  | 'restartIce'
  | 'setConfiguration'
  | 'getStats'
  | 'connectionState'
  | 'close'
  | 'onnegotiationneeded'
  | 'onicecandidate'
  | 'onconnectionstatechange'
  | 'ontrack'
>

/** What capture gives for a screen. */
export interface ScreenCapture {
  readonly video: MediaStreamTrack
  readonly audio: MediaStreamTrack | undefined
}

/** Microphones, cameras and screens. Failures are CallErrors. */
export interface Devices {
  /** Opens what is asked for with one prompt. */
  open(wanted: { audio: boolean; video: boolean }): Promise<readonly MediaStreamTrack[]>
  openScreen(): Promise<ScreenCapture>
}

/** How large an element is shown, in device pixels. */
export interface TileSize {
  readonly width: number
  readonly height: number
  readonly visible: boolean
}

/** Watches how large elements are shown. The answer of `watch` stops it. */
export interface TileWatcher {
  watch(element: HTMLMediaElement, changed: (size: TileSize) => void): () => void
}

/** Everything that the SDK wants of its surroundings. */
export interface Environment {
  readonly clock: Clock
  readonly random: Randomness
  readonly link: Link
  readonly devices: Devices
  readonly tiles: TileWatcher
  createPeerConnection(configuration: RTCConfiguration): PeerConnection
  createStream(tracks: readonly MediaStreamTrack[]): MediaStream
  /** Tells when the network is back; the answer stops it. */
  onNetworkBack(run: () => void): () => void
  /** Tells when the page goes away for good; the answer stops it. */
  onPageHide(run: () => void): () => void
}

/** A source that this device publishes. `live` false: muted; without track: its device is off. */
export interface LocalSource {
  readonly track: MediaStreamTrack | undefined
  readonly live: boolean
}
export type LocalSources = ReadonlyMap<TrackSource, LocalSource>

/** A stream that a path delivers. */
export interface RemoteStream {
  readonly participant: ParticipantId
  readonly source: TrackSource
  readonly track: MediaStreamTrack
}

export type PathSessionState = 'connecting' | 'connected' | 'interrupted' | 'failed'

/** One way of media, direct or through a node: what both kinds offer to the call above them. */
export interface PathSession {
  readonly state: PathSessionState
  readonly streams: ReadonlyMap<StreamKey, RemoteStream>
  /** Whether all that is to be sent is being sent. */
  readonly publishing: boolean
  publish(sources: LocalSources): void
  /** The streams that have delivered media. */
  decoded(): Promise<ReadonlySet<StreamKey>>
  reports(): Promise<readonly RTCStatsReport[]>
  /** Messages may have been lost; make sure that nothing waits for one. */
  resync(): void
  close(): void
}

/** What a path tells the call above it. */
export interface PathListener {
  /** `state`, `streams` or `publishing` changed. */
  changed(): void
  /** Another path is needed. */
  escalate(): void
}

/**
 * Called for each sender and receiver while it is created: the only moment at which a frame
 * transform takes hold in every browser.
 */
export interface FrameHooks {
  sender(sender: RTCRtpSender, source: TrackSource): void
  receiver(receiver: RTCRtpReceiver, source: TrackSource): void
}
