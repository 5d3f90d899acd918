import { newPathHealth, pathHealthDeadline, pathHealthMachine } from './core/path-health.ts'
import type {
  HealthLimits,
  PathHealth,
  PathHealthEffect,
  PathHealthEvent,
} from './core/path-health.ts'
import type { Clock, PathSessionState } from './ports.ts'

/** Runs the health machine of one path: browser states in, orders out. */
export class HealthWatch {
  readonly #clock: Clock
  readonly #limits: HealthLimits
  readonly #order: (effect: PathHealthEffect['type']) => void
  readonly #machine: ReturnType<typeof pathHealthMachine>
  #state: PathHealth
  #cancel: () => void = () => undefined
  #stopped = false

  constructor(
    clock: Clock,
    limits: HealthLimits,
    order: (effect: PathHealthEffect['type']) => void,
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#order = order
    this.#machine = pathHealthMachine(limits)
    this.#state = newPathHealth(limits, clock.now())
    this.#schedule()
  }

  get state(): PathSessionState {
    return this.#state.phase
  }

  /** Takes in the state of a peer connection. */
  connection(state: RTCPeerConnectionState): void {
    if (state === 'connected' || state === 'disconnected' || state === 'failed') {
      this.#dispatch({ type: state })
    }
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #dispatch(event: PathHealthEvent): void {
    if (this.#stopped) return
    const { state, effects } = this.#machine(this.#state, event, this.#clock.now())
    this.#state = state
    this.#schedule()
    for (const { type } of effects) this.#order(type)
  }

  #schedule(): void {
    this.#cancel()
    const deadline = pathHealthDeadline(this.#state, this.#limits)
    if (deadline === undefined) return
    this.#cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () =>
      this.#dispatch({ type: 'tick' }),
    )
  }
}
