import type { PeerConnection } from '../src/ports.ts'

/**
 * A peer connection without a network: describes itself by a certificate's fingerprint, and is
 * connected once both have described themselves. What it was told is there to be looked at.
 */
export class DescribedConnection {
  readonly applied: string[] = []
  readonly fingerprint: string
  localDescription: { readonly type: 'offer' | 'answer'; readonly sdp: string } | null = null
  connectionState: RTCPeerConnectionState = 'new'
  closed = false
  onnegotiationneeded: (() => void) | null = null
  onicecandidate: unknown = null
  onconnectionstatechange: (() => void) | null = null
  #signaling: 'stable' | 'have-remote-offer' = 'stable'

  /** `byte` is what the certificate's hash is made of. */
  constructor(byte: string) {
    this.fingerprint = Array.from({ length: 32 }, () => byte).join(':')
  }

  /** As the SDK takes it: this is the part that it uses. */
  get connection(): PeerConnection {
    return this as unknown as PeerConnection
  }

  createDataChannel(): object {
    return {}
  }

  getTransceivers(): readonly never[] {
    return []
  }

  setLocalDescription(): Promise<void> {
    const type = this.#signaling === 'stable' ? 'offer' : 'answer'
    this.localDescription = { type, sdp: sdpOf(this.fingerprint) }
    if (type === 'answer') this.#connect()
    return Promise.resolve()
  }

  setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    this.applied.push(sdp)
    this.#signaling = type === 'offer' ? 'have-remote-offer' : 'stable'
    if (type === 'answer') this.#connect()
    return Promise.resolve()
  }

  close(): void {
    this.closed = true
  }

  #connect(): void {
    this.#signaling = 'stable'
    queueMicrotask(() => {
      this.connectionState = 'connected'
      this.onconnectionstatechange?.()
    })
  }
}

/** A description with one certificate, and nothing else of interest. */
export function sdpOf(fingerprint: string): string {
  return `v=0\r\na=fingerprint:sha-256 ${fingerprint}\r\n`
}
