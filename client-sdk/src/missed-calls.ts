import type { MissedCall as SentMissedCall } from '@parley/protocol'
import { CallError } from './errors.ts'
import type { Clock } from './ports.ts'
import type { Request } from './signaling.ts'

/** Missed calls that the list holds, at most; the server keeps no more. */
const MOST_LISTED = 100

/** How long a server that cannot note what was told is left alone. */
const SAY_AGAIN_MS = 5_000

/** A call that nobody of this user has answered. */
export interface MissedCall extends Omit<SentMissedCall, 'payload'> {
  /** What the caller said with it, where there was something and this device can read it. */
  readonly payload?: string
  /** There was something that this device cannot read: it came later than the ring, or has other keys. */
  readonly unreadable?: true
}

/** What missed calls need of the client. */
export interface MissedCallsPorts {
  readonly clock: Clock
  readonly request: Request
  /** Whether the app listens for missed calls. */
  readonly isListening: () => boolean
  readonly tell: (missed: MissedCall) => void
  /** Reads what came with a call; undefined where this device cannot. */
  readonly open: (payload: string, missed: SentMissedCall) => Promise<string | undefined>
  /** The app knows of one more: to be kept, so that the page after a reload does not tell it again. */
  readonly kept: () => void
}

/**
 * The calls that this device has missed. The server says them until it hears that they were handled;
 * that is when the app's listeners have been told, so each is told once, over reloads, too.
 */
export class MissedCalls {
  readonly #ports: MissedCallsPorts
  #list: readonly MissedCall[] = []
  /** What nobody has listened for yet. */
  #untold: readonly MissedCall[] = []
  #toldSeq = 0
  /** What is being read; undefined while nothing is, and what comes is told at once. */
  #reading: Promise<void> | undefined

  constructor(ports: MissedCallsPorts) {
    this.#ports = ports
  }

  /** What this page has heard of, oldest first. */
  get list(): readonly MissedCall[] {
    return this.#list
  }

  /** Up to where the app has been told. */
  get toldSeq(): number {
    return this.#toldSeq
  }

  /** The page before its reload has told that much. */
  restore(toldSeq: number): void {
    this.#toldSeq = Math.max(this.#toldSeq, toldSeq)
  }

  /** Takes in what the server says, which it may have said before. */
  take(missed: readonly SentMissedCall[]): void {
    const plain = missed.filter(isPlain)
    if (!this.#reading && plain.length === missed.length) {
      this.#take(plain)
      return
    }
    const before = this.#reading ?? Promise.resolve()
    const reading = before
      .then(() => Promise.all(missed.map((one) => this.#read(one))))
      .then((read) => {
        if (this.#reading === reading) this.#reading = undefined
        this.#take(read)
      })
    this.#reading = reading
  }

  async #read({ payload, ...missed }: SentMissedCall): Promise<MissedCall> {
    if (payload === undefined) return missed
    // Where the keys cannot be had, the call is told all the same.
    const text = await this.#ports.open(payload, missed).catch(() => undefined)
    return text === undefined ? { ...missed, unreadable: true } : { ...missed, payload: text }
  }

  #take(missed: readonly MissedCall[]): void {
    const newest = this.#untold.at(-1)?.seq ?? this.#toldSeq
    const fresh = missed.filter(({ seq }) => seq > newest)
    this.#list = [...this.#list, ...fresh].slice(-MOST_LISTED)
    this.#untold = [...this.#untold, ...fresh]
    // The server has not heard that these were told.
    if (fresh.length === 0 && this.#untold.length === 0) this.#acknowledge()
    this.deliver()
  }

  /** Tells what waits for a listener. */
  deliver(): void {
    const last = this.#untold.at(-1)
    if (!last || !this.#ports.isListening()) return
    const untold = this.#untold
    this.#untold = []
    this.#toldSeq = last.seq
    for (const one of untold) this.#ports.tell(one)
    this.#ports.kept()
    this.#acknowledge()
  }

  #acknowledge(): void {
    const seq = this.#toldSeq
    this.#ports.request('mailbox.ack', { seq }).catch((error: unknown) => {
      // Where there is no session, the next one says them again, and they are known.
      if (!(error instanceof CallError) || error.code !== 'store-unavailable') return
      this.#ports.clock.after(SAY_AGAIN_MS, () => {
        if (seq === this.#toldSeq) this.#acknowledge()
      })
    })
  }
}

/** Nothing came with it that has to be read. */
function isPlain(missed: SentMissedCall): missed is SentMissedCall & { readonly payload?: never } {
  return missed.payload === undefined
}
