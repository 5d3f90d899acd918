import { DatagramEnd } from '../conformance/carrier.ts'
import { attr, build, channelData, method, number32 } from '../conformance/stun-bytes.ts'
import type { Subject } from '../conformance/trial.ts'
import type { Client } from '../conformance/trial.ts'
import { Trial } from '../conformance/trial.ts'

const CHANNEL = 0x4000
const PAYLOAD = Buffer.alloc(172, 0x61)

interface Caller {
  readonly client: Client
  readonly trial: Trial
  readonly isStream: boolean
  readonly begunAt: number
}

/** What traffic came to. */
export interface Tally {
  sent: number
  atPeer: number
  back: number
  begun: number
  ended: number
}

/** Calls through a server: every one sends to one peer, which sends back; they come and go. */
export class Traffic {
  readonly tally: Tally = { sent: 0, atPeer: 0, back: 0, begun: 0, ended: 0 }
  readonly #subject: Subject
  readonly #peer: DatagramEnd
  readonly #callers: Caller[] = []

  private constructor(subject: Subject, peer: DatagramEnd) {
    this.#subject = subject
    this.#peer = peer
    peer.onEach(({ bytes, port }) => {
      this.tally.atPeer++
      peer.send(bytes, port)
    })
  }

  static async open(subject: Subject): Promise<Traffic> {
    return new Traffic(subject, await DatagramEnd.open())
  }

  get calls(): number {
    return this.#callers.length
  }

  /** How long the oldest call has been going on. */
  get oldestMs(): number {
    return performance.now() - (this.#callers[0]?.begunAt ?? Infinity)
  }

  /** One more call; every fifth by TCP. */
  async begin(): Promise<void> {
    const isStream = this.tally.begun++ % 5 === 4
    const trial = new Trial(this.#subject, isStream ? 'tcp' : 'udp')
    const client = await trial.allocated()
    const code = await client.bind(CHANNEL, this.#peer)
    if (code !== 0) throw new Error(`ChannelBind: ${code}`)
    client.carrier.onEach((bytes) => {
      if ((bytes[0] ?? 0) >= 0x40) this.tally.back++
    })
    this.#callers.push({ client, trial, isStream, begunAt: performance.now() })
  }

  /** Ends the oldest call: by Refresh, or by closing the connection. */
  endOldest(): void {
    const caller = this.#callers.shift()
    if (!caller) return
    this.tally.ended++
    const { client, trial, isStream } = caller
    if (!isStream) {
      const attrs = [number32(attr.lifetime, 0), ...client.identity()]
      client.send(build({ type: method.refresh, attrs, key: client.key }))
    }
    trial.close()
  }

  /** A packet from each call. */
  sendRound(): void {
    for (const { client } of this.#callers) {
      client.send(channelData(CHANNEL, PAYLOAD))
      this.tally.sent++
    }
  }

  close(): void {
    while (this.#callers.length > 0) this.endOldest()
    this.#peer.close()
  }
}
