import type { CallId, CallMedia, CallView, InviteView, UserId } from '@parley/protocol'
import type { CallDirection } from './core/call-state.ts'
import type { CallEncryption } from './e2ee/call-encryption.ts'
import type { PathSeat } from './path-maker.ts'
import type { PathMaker } from './paths.ts'
import type { Environment } from './ports.ts'
import type { Seat } from './ports.ts'
import type { RingPayloads } from './ring-payloads.ts'
import type { Request } from './signaling.ts'

/** What a call needs of its client. */
export interface CallContext {
  readonly environment: Environment
  readonly request: Request
  readonly topology: 'auto' | 'sfu'
  pathMaker(seat: PathSeat): PathMaker
  /** Whether this device is in another call than this one. */
  inAnotherCall(id: CallId): boolean
  /** Whether this device encrypts end to end; where it does it comes into no call that does not. */
  readonly encrypts: boolean
  /** Rejects with `encryption-unsupported` where it should and the browser cannot. */
  assertEncrypts(): Promise<void>
  /** Writes and reads what goes with a ring. */
  readonly payloads: Pick<RingPayloads, 'write' | 'read'>
  /** None where the app has turned it off. */
  encryptionOf(seat: Pick<Seat, 'call' | 'self'>): CallEncryption | undefined
}

type Offer = NonNullable<InviteView['offer']>

/** How a call begins on this device. */
export interface CallOrigin {
  readonly id: CallId
  readonly direction: CallDirection
  readonly media: CallMedia
  /** What goes with the ring: this device's own words, or what has come, as it came. */
  readonly payload?: string
  readonly from?: UserId
  readonly offer?: Offer
  readonly view?: CallView
}
