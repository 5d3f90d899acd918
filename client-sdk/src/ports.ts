import type {
  CallId,
  Millis,
  ParticipantId,
  PushSubscriptionData,
  RequestFrame,
  TrackSource,
  WireError,
} from '@parley/protocol'
import type { PathProtection } from './core/frames/call-protection.ts'
import type { StreamKey } from './core/media-plan.ts'
import type { PathState } from './core/path-state.ts'
import type { CallEncryption } from './e2ee/call-encryption.ts'
import type { FrameEpoch, FrameKeys } from './e2ee/frame-keys.ts'
import type { FromWorker, StreamSpec, ToWorker } from './e2ee/worker-messages.ts'
import type { CallError } from './errors.ts'
import type { IdentityStore } from './e2ee/identity/identity.ts'

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
  /** Says goodbye: the server ends the session. */
  close(): void
  /** Drops the connection without a word: the session waits for another one. */
  abandon(): void
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
  | 'sctp'
  | 'close'
  | 'onnegotiationneeded'
  | 'onicecandidate'
  | 'onconnectionstatechange'
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

/** What the worker tells. */
export interface FrameWorkerListener {
  told(message: FromWorker): void
  /** It does not run, or an error ended something in it. */
  failed(error: CallError): void
}

/** A worker that seals and opens frames. */
export interface FrameWorkerLink {
  post(message: ToWorker, transfer?: Transferable[]): void
  /** Makes it the only way for the frames of a sender or receiver. */
  attach(endpoint: RTCRtpSender | RTCRtpReceiver, spec: StreamSpec): void
  close(): void
}

/** Frame encryption, as far as the browser has a part in it. */
export interface FrameEngine {
  /** What a peer connection must be made with. */
  readonly connectionSettings: Readonly<Record<string, unknown>>
  /** Rejects with `encryption-unsupported` where the browser lacks something that encryption takes. */
  check(): Promise<void>
  /** Throws `encryption-unsupported`. */
  startWorker(listener: FrameWorkerListener): FrameWorkerLink
  /** A number that no worker has had with this key and leaf. */
  takeIncarnation(epoch: FrameEpoch): Promise<number>
}

/** One's place in a call. */
export interface Seat {
  readonly call: CallId
  readonly self: ParticipantId
  /** The newest epoch of the call's topology. */
  epoch(): number
  /** The call's keys; undefined where the app has turned encryption off. */
  readonly encryption: CallEncryption | undefined
}

/** What a page finds again after its reload. */
export interface PageMemory {
  /**
   * The text kept under this name, for this page alone from now on. Undefined in a new tab, in a
   * copied one while the first is open, and where nothing can be kept.
   */
  claim(name: string): Promise<string | undefined>
  /** Keeps a text under a name that was claimed; where that failed, does nothing. */
  keep(name: string, text: string): void
}

/** The browser's way to be woken while no page is open. Failures are CallErrors. */
export interface Push {
  /** Subscribes for the server with this VAPID key, or gives the subscription that there is. */
  subscribe(worker: string | ServiceWorkerRegistration, key: string): Promise<PushSubscriptionData>
  /** Ends what is subscribed for that server. */
  unsubscribe(key: string): Promise<void>
}

/** Everything that the SDK wants of its surroundings. */
export interface Environment {
  readonly clock: Clock
  readonly random: Randomness
  readonly link: Link
  readonly devices: Devices
  readonly tiles: TileWatcher
  readonly memory: PageMemory
  readonly push: Push
  readonly frames: FrameEngine
  /** Another source of keys for a seat's frames than the call's group, for tests. */
  readonly frameKeys: ((seat: Seat) => FrameKeys) | undefined
  /** What outlives the page: this device's key, and what was seen of others. */
  readonly identities: IdentityStore
  createPeerConnection(configuration: RTCConfiguration): PeerConnection
  createStream(tracks: readonly MediaStreamTrack[]): MediaStream
  /** Tells when the device is on a network again, or on another one; the answer stops it. */
  onNetworkChange(run: () => void): () => void
  /** Tells when the page is looked at again; the answer stops it. */
  onVisible(run: () => void): () => void
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

/** One way of media, direct or through a node: what both kinds offer to the call above them. */
export interface PathSession {
  readonly state: PathState
  readonly streams: ReadonlyMap<StreamKey, RemoteStream>
  /** Whether all that is to be sent is being sent. */
  readonly publishing: boolean
  /** Whether what passes is end-to-end encrypted. */
  readonly protection: PathProtection
  publish(sources: LocalSources): void
  /** The streams that have delivered media. */
  decoded(): Promise<ReadonlySet<StreamKey>>
  reports(): Promise<readonly RTCStatsReport[]>
  /** Looks for a working pair of addresses anew; what works meanwhile goes on. */
  restartIce(): void
  /** Messages may have been lost; make sure that nothing waits for one. */
  resync(): void
  close(): void
}

/** What a path tells the call above it. */
export interface PathListener {
  /** `state`, `streams`, `publishing` or `protection` changed. */
  changed(): void
  /** Something did not work out. */
  failed(error: CallError): void
  /** The browser has given up on the connection: only a restart of ICE can help. */
  broken(): void
}
