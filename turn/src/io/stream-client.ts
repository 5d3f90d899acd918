import type { Socket } from 'node:net'
import type { Client, Transport } from '../core/allocation.ts'
import type { StreamFault } from '../core/stream-limits.ts'
import { streamFault } from '../core/stream-limits.ts'
import type { ClientRoute } from '../ports.ts'
import type { Endpoint } from '../wire/index.ts'
import { MAX_FRAME_BYTES, StreamFramer } from '../wire/index.ts'

/** Unread bytes above which datagrams are dropped, as a slow network would. Larger adds delay. */
const MAX_BACKLOG_BYTES = 256 * 1024

/** No request is larger; whoever has an allocation may also relay full datagrams. */
const MAX_STRANGER_FRAME_BYTES = 4_096

/** What a stream client tells the loop. */
export interface StreamEvents {
  onFrame: (client: Client, frame: Uint8Array) => void
  onClosed: (client: Client) => void
}

/** One TCP or TLS connection and the client behind it. */
export class StreamClient implements ClientRoute {
  readonly client: Client
  readonly #socket: Socket
  readonly #framer = new StreamFramer()
  readonly #openedAt: number
  #hasSpoken = false
  #frameBegunAt: number | undefined
  #withoutAllocationSince: number | undefined
  #blockedSince: number | undefined

  constructor(
    socket: Socket,
    identity: {
      readonly transport: Transport
      readonly route: number
      readonly endpoint: Endpoint
    },
    events: StreamEvents,
    now: number,
  ) {
    this.client = { ...identity, allocation: undefined }
    this.#socket = socket
    this.#openedAt = now
    this.#withoutAllocationSince = now
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk, events)
    })
    // 'close' follows, which is where the client is let go.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      events.onClosed(this.client)
    })
  }

  send(_client: Client, bytes: Uint8Array): boolean {
    if (this.#socket.destroyed || this.#socket.writableLength > MAX_BACKLOG_BYTES) return false
    return this.#socket.write(bytes) || !this.#socket.destroyed
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Closes the connection when it has crossed a limit, and says which; call once a second. */
  enforceLimits(now: number): StreamFault | undefined {
    this.#withoutAllocationSince = this.client.allocation
      ? undefined
      : (this.#withoutAllocationSince ?? now)
    this.#frameBegunAt = this.#framer.isInsideFrame ? (this.#frameBegunAt ?? now) : undefined
    const isBlocked = this.#socket.writableLength > MAX_BACKLOG_BYTES
    this.#blockedSince = isBlocked ? (this.#blockedSince ?? now) : undefined
    const fault = streamFault(
      {
        openedAt: this.#openedAt,
        hasSpoken: this.#hasSpoken,
        frameBegunAt: this.#frameBegunAt,
        withoutAllocationSince: this.#withoutAllocationSince,
        blockedSince: this.#blockedSince,
      },
      now,
    )
    if (fault) this.close()
    return fault
  }

  #take(chunk: Buffer, { onFrame }: StreamEvents): void {
    const framer = this.#framer
    framer.push(chunk)
    for (;;) {
      framer.maxFrameBytes = this.client.allocation ? MAX_FRAME_BYTES : MAX_STRANGER_FRAME_BYTES
      const frame = framer.next()
      if (!frame) break
      this.#hasSpoken = true
      this.#frameBegunAt = undefined
      onFrame(this.client, frame)
    }
    if (framer.error !== undefined) this.close()
  }
}
