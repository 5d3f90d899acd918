import type { DeviceAddress, IceConfig, UserId } from '@parley/protocol'
import type { Log } from '@parley/service'
import type { TokenVerifier } from './auth/tokens.ts'
import type { ClusterLink } from './cluster/cluster.ts'
import type { CallFact } from './core/call-facts.ts'
import type { Pass } from './core/pass.ts'
import type { TicketSeal } from './core/ticket.ts'
import type { Media } from './media.ts'
import type { PeopleOptions } from './people.ts'
import type { Environment } from './ports.ts'
import type { RevocationFeed } from './store/revocation-feed.ts'

/** Numbers for the metrics endpoint. */
export interface HubStats {
  readonly sessions: number
  readonly calls: number
  /** Other signaling processes that this one knows. */
  readonly peers: number
}

/** Called for each answered request. */
export type RequestObserver = (type: string, outcome: string, seconds: number) => void

/** A verified device with what its token gives; without a pass, what a token without grants gives. */
export interface Entrant extends DeviceAddress {
  readonly pass?: Pass
}

/** What a hub is made with. */
export interface HubOptions {
  readonly env: Environment
  readonly log: Log
  readonly media: Media
  readonly seal: TicketSeal
  /** Absent where nobody brings tokens. */
  readonly verifier?: TokenVerifier
  /** What other processes withdraw; left out where there are none. */
  readonly revocations?: RevocationFeed
  readonly ringTimeoutMs: number
  readonly iceConfigFor: (user: UserId) => IceConfig
  readonly onRequest: RequestObserver
  /** The other signaling processes; left out where there are none. */
  readonly cluster?: ClusterLink
  /** Left out: in memory, and nobody is woken. */
  readonly people?: PeopleOptions
  /** Told what happens to calls. */
  readonly onFact?: (fact: CallFact) => void
}
