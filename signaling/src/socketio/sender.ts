import type { EventFrame } from '@parley/protocol'
import type { Socket } from 'socket.io'
import { Outbox } from '../core/outbox.ts'
import type { Outgoing } from '../core/outbox.ts'

/** Packets that may be with the transport before ours wait here, where they can be overtaken. */
const MOST_IN_TRANSPORT = 16

/** What may wait for a slow reader. More, and it is better served by a snapshot. */
const MOST_WAITING = 512

/** Sends to one socket at the pace of its reader; made light, as there is one for each. */
export class Sender {
  readonly #socket: Socket
  readonly #tooSlow: () => void
  #outbox: Outbox | undefined
  #over = false

  /** `tooSlow` is called when the reader has fallen behind for good; it closes the socket. */
  constructor(socket: Socket, tooSlow: () => void) {
    this.#socket = socket
    this.#tooSlow = tooSlow
  }

  event(frame: EventFrame): void {
    this.#send({ type: 'event', frame })
  }

  answer(send: () => void): void {
    this.#send({ type: 'answer', send })
  }

  #send(item: Outgoing): void {
    if (this.#over) return
    if (!this.#outbox && this.#room() > 0) {
      this.#pass(item)
      return
    }
    if (!this.#outbox) {
      this.#outbox = new Outbox(MOST_WAITING)
      this.#socket.conn.once('drain', () => this.#flush())
    }
    if (this.#outbox.push(item)) return
    this.#over = true
    this.#outbox = undefined
    this.#tooSlow()
  }

  #flush(): void {
    const outbox = this.#outbox
    if (!outbox) return
    for (const item of outbox.take(this.#room())) this.#pass(item)
    if (outbox.size === 0) this.#outbox = undefined
    else this.#socket.conn.once('drain', () => this.#flush())
  }

  #pass(item: Outgoing): void {
    if (item.type === 'event') this.#socket.emit('event', item.frame)
    else item.send()
  }

  /** How many packets the transport still takes. */
  #room(): number {
    // Socket.IO has no public measure of back-pressure; engine.io's buffer is the documented advice.
    const { writeBuffer } = this.#socket.conn as unknown as { writeBuffer: readonly unknown[] }
    return MOST_IN_TRANSPORT - writeBuffer.length
  }
}
