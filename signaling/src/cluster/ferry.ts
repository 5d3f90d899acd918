import { viewFor } from '@parley/protocol'
import type { DeviceAddress, ServerEvent } from '@parley/protocol'
import type { Calls } from '../calls.ts'
import type { ForeignCalls } from '../core/foreign-calls.ts'
import type { NodeId } from '../core/lease-book.ts'
import { freshDevice } from '../core/neighbours.ts'
import type { Neighbours } from '../core/neighbours.ts'
import type { Directory, HandedSession, ResumeRequest } from '../directory.ts'
import type { NodeChannel } from './channel.ts'
import { parseHandedSession } from './handed-session.ts'
import type { Asking } from './messages.ts'

/** What the ferry works with. */
export interface FerryPorts {
  readonly node: NodeId
  readonly channel: NodeChannel
  readonly directory: Directory
  readonly neighbours: Neighbours
  readonly foreign: ForeignCalls
  readonly calls: Calls
  readonly now: () => number
}

/** Brings sessions from node to node, after the clients that they belong to. */
export class SessionFerry {
  readonly #ports: FerryPorts
  /** What arrives for devices whose sessions are on their way here. */
  readonly #arriving = new Map<string, ServerEvent[]>()

  constructor(ports: FerryPorts) {
    this.#ports = ports
  }

  /** Fetches the session of a device from the node that has it; whether it is here now. */
  async fetch({ user, device }: DeviceAddress, resume: ResumeRequest): Promise<boolean> {
    const { channel, neighbours, directory, foreign, node } = this.#ports
    const at = { user, device }
    const holder = neighbours.find(at)?.node
    const key = keyOf(at)
    if (holder === undefined || this.#arriving.has(key)) return false
    this.#arriving.set(key, [])
    const question = { at, session: resume.session, key: resume.key }
    const answer = await channel.ask(holder, 'session.take', question)
    const handed = answer.ok ? parseHandedSession(answer.data) : undefined
    const missed = this.#arriving.get(key) ?? []
    this.#arriving.delete(key)
    if (!handed) return false
    neighbours.forget(at)
    directory.takeIn(handed)
    for (const { owner, view } of handed.calls) if (owner !== node) foreign.put(at, owner, view)
    for (const event of missed) directory.tell(at, event)
    return true
  }

  /** Keeps an event for a device whose session is on its way here; false if none is. */
  keep(to: DeviceAddress, event: ServerEvent): boolean {
    const waiting = this.#arriving.get(keyOf(to))
    waiting?.push(event)
    return waiting !== undefined
  }

  /** Gives a session to the node that its client has come to. */
  give(to: NodeId, { at, session, key }: Asking<'session.take'>): HandedSession | null {
    const { directory, neighbours, foreign, calls, node, now } = this.#ports
    const handed = directory.handOver(at, session, key)
    if (!handed) return null
    const own = calls.seenBy(at).map((call) => ({ owner: node, view: viewFor(call, at) }))
    const seen = [...own, ...foreign.of(at)]
    foreign.forget(at)
    // Its events go there from now on.
    neighbours.note(to, at, {
      ...freshDevice(session, now()),
      connected: false,
      callWaiting: handed.callWaiting,
      mood: handed.mood,
      calls: seen.map(({ view }) => view.id),
    })
    return { ...handed, calls: seen }
  }
}

function keyOf({ user, device }: DeviceAddress): string {
  return JSON.stringify([user, device])
}
