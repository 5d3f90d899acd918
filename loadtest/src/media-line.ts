import type { ClientRequestData, TransportInfo } from '@parley/protocol'
import nodeDataChannel from 'node-datachannel'
import type { PeerConnection, Track } from 'node-datachannel'
import { answerSdp, OPUS_PAYLOAD_TYPE } from './ortc.ts'

/** ICE and DTLS on a healthy path take well under a second. */
const CONNECT_TIMEOUT_MS = 15_000

/**
 * One end of a transport of the SFU: ICE, DTLS and SRTP, with plain RTP and RTCP above. A single
 * media section carries all streams of its direction; a connection with one section hands over every
 * packet, whatever its SSRC.
 */
export class MediaLine {
  readonly #connection: PeerConnection
  readonly #track: Track
  readonly #info: TransportInfo
  readonly #direction: 'send' | 'receive'
  readonly #closed = new AbortController()
  readonly dtlsParameters: ClientRequestData<'sfu.connect'>['dtlsParameters']

  private constructor(parts: {
    readonly connection: PeerConnection
    readonly track: Track
    readonly info: TransportInfo
    readonly direction: 'send' | 'receive'
    readonly fingerprint: string
  }) {
    this.#connection = parts.connection
    this.#track = parts.track
    this.#info = parts.info
    this.#direction = parts.direction
    this.dtlsParameters = {
      role: 'client',
      fingerprints: [{ algorithm: 'sha-256', value: parts.fingerprint }],
    }
  }

  /** Makes the client's end: its certificate and its candidates. Nothing is sent yet. */
  static async open(info: TransportInfo, direction: 'send' | 'receive'): Promise<MediaLine> {
    const connection = new nodeDataChannel.PeerConnection(direction, { iceServers: [] })
    const media = new nodeDataChannel.Audio('media', direction === 'send' ? 'SendOnly' : 'RecvOnly')
    media.addOpusCodec(OPUS_PAYLOAD_TYPE)
    if (direction === 'send') media.addSSRC(1, 'load')
    const track = connection.addTrack(media)
    await new Promise<void>((resolve) => {
      connection.onGatheringStateChange((state) => {
        if (state === 'complete') resolve()
      })
      connection.setLocalDescription('offer')
    })
    const sdp = connection.localDescription()?.sdp ?? ''
    const fingerprint = /a=fingerprint:sha-256 (\S+)/i.exec(sdp)?.[1]
    if (fingerprint === undefined) throw new TypeError('the offer has no fingerprint')
    return new MediaLine({ connection, track, info, direction, fingerprint })
  }

  /** Hands over every packet that arrives, RTP and RTCP. */
  onPacket(take: (bytes: Buffer) => void): void {
    this.#track.onMessage(take)
  }

  /** Dials the node; resolves when packets can flow. `onLost` tells when they no longer can. */
  async connect(onLost: (state: string) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        const { ip, address, port } = this.#info.iceCandidates[0] ?? {}
        const where = `${String(ip ?? address)}:${String(port)}`
        reject(new Error(`no media connection to ${where} within ${CONNECT_TIMEOUT_MS / 1_000} s`))
      }, CONNECT_TIMEOUT_MS)
      this.#closed.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(new Error('closed while connecting'))
      })
      this.#track.onOpen(() => {
        clearTimeout(timer)
        resolve()
      })
      const direction = this.#direction === 'send' ? 'recvonly' : 'sendonly'
      this.#connection.setRemoteDescription(answerSdp(this.#info, direction), 'answer')
    })
    this.#connection.onStateChange((state) => {
      if (state === 'disconnected' || state === 'failed' || state === 'closed') onLost(state)
    })
  }

  /** Sends RTP or RTCP; a closed line swallows it. */
  send(bytes: Buffer): void {
    if (this.#track.isOpen()) this.#track.sendMessageBinary(bytes)
  }

  close(): void {
    this.#closed.abort()
    this.#connection.onStateChange(() => undefined)
    this.#connection.close()
  }
}

/** Stops the library's threads, which would keep the process from ending. */
export function closeMediaLibrary(): void {
  nodeDataChannel.cleanup()
}
