import type { IceConfig, IceServer } from '@parley/protocol'
import { ICE_REFRESH_MARGIN_MS } from './defaults.ts'
import type { Clock } from './ports.ts'

/** No server hands out credentials for longer; also keeps the timer within its range. */
const MOST_WAIT_MS = 24 * 3_600_000
const RETRY_MS = 10_000

/** STUN and TURN servers, renewed before their credentials end. */
export class IceServers {
  readonly #clock: Clock
  readonly #fetch: () => Promise<IceConfig>
  #config: IceConfig = { iceServers: [], expiresAt: 0 }
  #cancel: () => void = () => undefined

  constructor(clock: Clock, fetch: () => Promise<IceConfig>) {
    this.#clock = clock
    this.#fetch = fetch
  }

  get current(): readonly IceServer[] {
    return this.#config.iceServers
  }

  /** Takes a fresh set and plans its renewal. */
  set(config: IceConfig): void {
    this.#config = config
    const left = config.expiresAt - this.#clock.now() - ICE_REFRESH_MARGIN_MS
    this.#plan(Math.max(RETRY_MS, left))
  }

  stop(): void {
    this.#cancel()
  }

  #plan(inMs: number): void {
    this.#cancel()
    this.#cancel = this.#clock.after(Math.min(MOST_WAIT_MS, inMs), () => {
      this.#fetch().then(
        (config) => this.set(config),
        () => this.#plan(RETRY_MS),
      )
    })
  }
}
