import type { AnswerFrame, CallView, Grants, SessionId, Welcome } from '@parley/protocol'
import { createLog } from '@parley/service'
import { defaultGrants } from './core/grants.ts'
import type { Pass } from './core/pass.ts'
import { ticketSeal } from './core/ticket.ts'
import type { ResumeRequest } from './directory.ts'
import type { Entrant, HubOptions } from './hub-options.ts'
import { Hub } from './hub.ts'
import { Media } from './media.ts'
import { FakeSfuNode, RecordingSocket } from './testing.ts'
import type { ManualEnvironment } from './testing.ts'

/** How long a call rings in a hub of tests. */
export const RING_TIMEOUT_MS = 45_000

/** What a test says of its hub; the rest is as in all of them. */
export interface TestHubOptions extends Partial<HubOptions> {
  readonly env: ManualEnvironment
  /** Its only SFU node; left out: one that nobody looks at. */
  readonly node?: FakeSfuNode
}

/** A hub that is woken by the clock of its test. A later one with the same clock takes its place. */
export function testHub({ env, node = new FakeSfuNode(), ...changes }: TestHubOptions): Hub {
  const log = createLog('test', { level: 'silent' })
  const hub = new Hub({
    env,
    log,
    media: new Media({ log, nodes: [node] }),
    seal: ticketSeal('a secret of these tests'),
    ringTimeoutMs: RING_TIMEOUT_MS,
    iceConfigFor: () => ({ iceServers: [], expiresAt: 0 }),
    onRequest: () => undefined,
    ...changes,
  })
  env.onWake = () => hub.tick()
  return hub
}

/** What a token gives that never expires; its grants are those of every token but for these. */
export function passWith(grants: Partial<Grants>): Pass {
  const given = { ...defaultGrants, ...grants }
  return { grants: given, tokenId: undefined, issuedAt: undefined, expiresAt: Infinity }
}

/** Who comes to a hub. Tests write plain names, which are branded here. */
export interface Arrival {
  readonly user: string
  readonly device: string
  readonly pass?: Pass
}

/** Somebody at a device that is connected to a hub, and keeps what it hears. */
export class TestPerson {
  static #requests = 0
  readonly session: SessionId
  readonly socket = new RecordingSocket()
  readonly #hub: Hub

  constructor(hub: Hub, who: Arrival, resume?: ResumeRequest) {
    this.#hub = hub
    this.session = hub.connect(who as Entrant, this.socket, resume)
  }

  ask(type: string, data: unknown): Promise<AnswerFrame> {
    const id = `r${++TestPerson.#requests}`
    return this.#hub.request(this.session, { id, type, data }, 100)
  }

  /** The call that was shown last, as it was then. */
  view(): CallView | undefined {
    const last = this.socket.heard('call.updated').at(-1) as { call: CallView } | undefined
    return last?.call
  }

  endReasons(): string[] {
    return this.socket.heard('call.ended').map((data) => (data as { reason: string }).reason)
  }

  welcome(): Welcome {
    return this.socket.heard('welcome')[0] as Welcome
  }
}
