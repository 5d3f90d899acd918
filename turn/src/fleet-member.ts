import type { Drain } from './core/server-state.ts'
import type { Session, SessionSelector } from './core/sessions.ts'
import type { Engine, EngineKeys } from './engine.ts'
import type { StrayDatagram } from './ports.ts'
import type { ListenerAddress } from './setting-values.ts'

/** One engine of a server, in this thread or in one of its own. */
export interface FleetMember {
  readonly listeners: readonly ListenerAddress[]
  sessions(): Promise<readonly Session[]>
  endSessions(selector: SessionSelector): Promise<number>
  drain(drain: Drain | undefined): Promise<void>
  useKeys(keys: EngineKeys): Promise<void>
  /** Hands over a datagram that came to another worker by mistake. */
  takeStray(datagram: StrayDatagram): void
  close(): Promise<void>
}

/** An engine in this thread. */
export function localMember(engine: Engine): FleetMember {
  return {
    listeners: engine.listeners,
    sessions: () => Promise.resolve(engine.sessions()),
    endSessions: (selector) => Promise.resolve(engine.endSessions(selector)),
    drain: (drain) => {
      engine.drain(drain)
      return Promise.resolve()
    },
    useKeys: (keys) => {
      engine.useKeys(keys)
      return Promise.resolve()
    },
    takeStray: (datagram) => {
      engine.takeStray(datagram)
    },
    close: () => {
      engine.close()
      return Promise.resolve()
    },
  }
}
