import type { CallView, ParticipantId } from '@parley/protocol'
import { atFoot, ladder, ladderDeadline } from './core/ladder.ts'
import type { Ladder, LadderEffect, LadderEvent, Rung } from './core/ladder.ts'
import type { MediaPaths } from './paths.ts'
import type { Clock } from './ports.ts'

/** What is being done to get media back. */
export interface Reconnecting {
  readonly rung: Rung
  /** When media stopped, in ms since the epoch. */
  readonly since: number
}

/** What the way back to media needs of its call. */
export interface RecoveryPorts {
  readonly clock: Clock
  /** Carries out what is not for the paths alone. */
  order(effect: Exclude<LadderEffect['type'], 'restartIce'>): void
  /** `current` changed. */
  changed(current: Reconnecting | undefined): void
}

/** Runs the ladder of one call: what is known of media, server and others in, orders out. */
export class MediaRecovery {
  readonly #ports: RecoveryPorts
  #state: Ladder = atFoot
  #paths: MediaPaths | undefined
  #cancel: () => void = () => undefined
  #stopped = false

  constructor(ports: RecoveryPorts) {
    this.#ports = ports
  }

  get current(): Reconnecting | undefined {
    const { climb } = this.#state
    return climb && { rung: climb.rung, since: climb.since }
  }

  /** These are the paths that media goes on from now on. */
  watch(paths: MediaPaths): void {
    this.#paths = paths
    paths.on('changed', () => {
      if (paths === this.#paths) this.take({ type: 'media', state: paths.state })
    })
    paths.on('broken', () => this.take({ type: 'broken' }))
    paths.on('failed', () => this.take({ type: 'hopeless' }))
  }

  /** Looks who is there. */
  see(view: CallView, self: ParticipantId | undefined): void {
    const present = view.participants.some(({ id, connected }) => id !== self && connected)
    this.take({ type: 'company', present })
  }

  take(event: LadderEvent): void {
    if (this.#stopped) return
    const before = this.#state.climb?.rung
    const { state, effects } = ladder(this.#state, event, this.#ports.clock.now())
    this.#state = state
    this.#schedule()
    for (const { type } of effects) {
      if (type === 'restartIce') this.#paths?.restartIce()
      else this.#ports.order(type)
    }
    if (this.#state.climb?.rung !== before) this.#ports.changed(this.current)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #schedule(): void {
    this.#cancel()
    const deadline = ladderDeadline(this.#state)
    if (deadline === undefined) return
    const { clock } = this.#ports
    this.#cancel = clock.after(Math.max(0, deadline - clock.now()), () =>
      this.take({ type: 'tick', direct: this.#paths?.kind === 'p2p' }),
    )
  }
}
