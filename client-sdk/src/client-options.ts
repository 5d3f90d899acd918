import type { Grants, Presence } from '@parley/protocol'
import type { Call } from './call.ts'
import type { ConnectionState } from './core/connection.ts'
import type { VideoCodec } from './core/video-codec.ts'
import type { TrustPolicy } from './e2ee/identity/identity.ts'
import type { CallError } from './errors.ts'
import type { MissedCall } from './missed-calls.ts'
import type { OtherCall } from './other-calls.ts'
import type { WireFormat } from './socketio/link.ts'

/** How a client is set up. */
export interface CallClientOptions {
  /** Where signaling is, as `https://calls.example.org`. */
  readonly url: string
  /** Gives a fresh token of one's user; asked before each connection. */
  readonly token: () => string | Promise<string>
  /** Stable id of this browser, so that a reload is known as the same device; random if left out. */
  readonly device?: string
  /** `relay` hides one's address from the other side: everything goes through TURN. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy
  /** `sfu` never sends media directly between devices. */
  readonly topology?: 'auto' | 'sfu'
  /** What one's video is sent in through the SFU; VP8, which all browsers know, if left out. */
  readonly videoCodec?: VideoCodec
  /** Where `e2ee-worker.js` is, for pages whose content security policy allows no inline workers. */
  readonly workerUrl?: string
  /** How messages to the server are written: `json` where left out, or `msgpack`, a little shorter. */
  readonly wireFormat?: WireFormat
  /** What a second call does: `ring` (where left out), or be told that one is `busy`. */
  readonly callWaiting?: CallWaiting
  /**
   * `required`, where left out: keys are agreed on end to end, and whoever cannot prove who he is is not
   * heard. `off`: the servers are trusted. A call takes in devices of one kind only.
   */
  readonly encryption?: 'required' | 'off'
  /** Decides on the devices one meets; left out, the first meeting is trusted and changes are not. */
  readonly trust?: TrustPolicy
}

/** What happens to somebody who calls while this device is in a call. */
export type CallWaiting = 'ring' | 'busy'

/** Everything that a client tells. */
export interface ClientEvents {
  incoming: [call: Call]
  /** The page was loaded again, and a call that it was in is back, with what it sent then. */
  resumed: [call: Call]
  /** The calls of one's other devices changed. */
  'other-calls': [calls: readonly OtherCall[]]
  /** A call was missed, here and on all one's devices: told once to each device, when it is there. */
  missed: [missed: MissedCall]
  presence: [users: readonly Presence[]]
  connection: [state: ConnectionState]
  /** What the token lets this device do is known or has changed. */
  grants: [grants: Grants]
  /** The connection is over for good, as when the same device connected elsewhere. */
  error: [error: CallError]
}
