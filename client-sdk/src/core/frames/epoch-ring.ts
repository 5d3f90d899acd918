import type { Millis } from '@parley/protocol'

/** Why an epoch began. */
type Cause = 'join' | 'leave' | 'refresh'

/** The keys of one epoch: how far they are. */
export interface RingEpoch {
  /** Counts epochs as they come, since a group that is made anew begins at 0 again. */
  readonly slot: number
  readonly epoch: bigint
  /** Frames of it can be opened. */
  readonly installed: boolean
  /** When senders use it, ready or not; undefined once they have, or have passed over it. */
  readonly switchAt: Millis | undefined
  /** When its keys are zeroed; undefined while they may be sent with. */
  readonly retireAt: Millis | undefined
}

/** The epochs whose keys are held, oldest first. */
export interface EpochRing {
  readonly epochs: readonly RingEpoch[]
  readonly nextSlot: number
  /** What frames are sealed with. */
  readonly sending: number | undefined
}

export type EpochRingEvent =
  | { readonly type: 'began'; readonly epoch: bigint; readonly cause: Cause }
  | { readonly type: 'installed'; readonly slot: number }
  | { readonly type: 'allReady'; readonly epoch: bigint }
  | { readonly type: 'stopped' }
  | { readonly type: 'tick' }

export type EpochRingEffect =
  | { readonly type: 'install'; readonly slot: number }
  | { readonly type: 'sendWith'; readonly slot: number }
  | { readonly type: 'forget'; readonly slot: number }
  | { readonly type: 'tellInstalled'; readonly epoch: bigint }

interface Step {
  readonly state: EpochRing
  readonly effects: readonly EpochRingEffect[]
}

export const newEpochRing: EpochRing = {
  epochs: [],
  nextSlot: 0,
  sending: undefined,
}

/** Who has gone must not understand for long; who comes may need a moment until it does. */
const SWITCH_AFTER_MS: Readonly<Record<Cause, Millis>> = { join: 1_000, refresh: 1_000, leave: 500 }

/** Frames on their way still open this long after the switch; longer keeps old keys around. */
const OVERLAP_MS: Millis = 10_000

/** More than these are not held, however quickly they follow on each other. */
const MOST_EPOCHS = 4

/** Decides which epochs' keys are held, and with which of them frames are sealed. */
export function epochRing(state: EpochRing, event: EpochRingEvent, now: Millis): Step {
  switch (event.type) {
    case 'began':
      return bound(begin(state, event, now))
    case 'installed':
      return install(state, event.slot, now)
    case 'allReady': {
      const ready = state.epochs.findLast(({ epoch }) => epoch === event.epoch)
      return ready?.installed === true ? switchTo(state, ready.slot, now) : stay(state)
    }
    case 'stopped': {
      const effects = state.epochs.map(({ slot }) => ({ type: 'forget', slot }) as const)
      return { state: { ...state, epochs: [], sending: undefined }, effects }
    }
    case 'tick':
      return then(switchDue(state, now), (next) => retireDue(next, now))
  }
}

/** When a tick is wanted. */
export function epochRingDeadline({ epochs }: EpochRing): Millis | undefined {
  const deadlines = epochs.flatMap(({ installed, switchAt, retireAt }) => [
    ...(installed && switchAt !== undefined ? [switchAt] : []),
    ...(retireAt === undefined ? [] : [retireAt]),
  ])
  return deadlines.length === 0 ? undefined : Math.min(...deadlines)
}

function begin(
  state: EpochRing,
  { epoch, cause }: { readonly epoch: bigint; readonly cause: Cause },
  now: Millis,
): Step {
  const slot = state.nextSlot
  const switchAt = now + SWITCH_AFTER_MS[cause]
  const begun = { slot, epoch, installed: false, switchAt, retireAt: undefined }
  // Frames name an epoch by its low bits; of two alike, only the newer is meant.
  const alike = state.epochs.filter((other) => (other.epoch & 0xffn) === (epoch & 0xffn))
  const kept = state.epochs.filter((other) => !alike.includes(other))
  return {
    state: {
      ...state,
      epochs: [...kept, begun],
      nextSlot: slot + 1,
      sending: without(state, alike),
    },
    effects: [
      ...alike.map(({ slot: old }) => ({ type: 'forget', slot: old }) as const),
      { type: 'install', slot },
    ],
  }
}

function bound(step: Step): Step {
  const excess = step.state.epochs.slice(0, -MOST_EPOCHS)
  if (excess.length === 0) return step
  return {
    state: {
      ...step.state,
      epochs: step.state.epochs.slice(-MOST_EPOCHS),
      // Nothing is sealed until a newer one can be used, which is at hand.
      sending: without(step.state, excess),
    },
    effects: [...step.effects, ...excess.map(({ slot }) => ({ type: 'forget', slot }) as const)],
  }
}

function install(state: EpochRing, slot: number, now: Millis): Step {
  const found = state.epochs.find((epoch) => epoch.slot === slot)
  if (!found || found.installed) return stay(state)
  const epochs = state.epochs.map((e) => (e.slot === slot ? { ...e, installed: true } : e))
  const told = { type: 'tellInstalled', epoch: found.epoch } as const
  const next = { ...state, epochs }
  // Who sends nothing yet has nobody to wait for.
  const due = state.sending === undefined ? switchTo(next, slot, now) : switchDue(next, now)
  return { state: due.state, effects: [told, ...due.effects] }
}

/** A newer epoch does not put off a switch that is due: in a rush who has gone would hear on. */
function switchDue(state: EpochRing, now: Millis): Step {
  const isDue = state.epochs.some(
    ({ installed, switchAt }) => installed && switchAt !== undefined && switchAt <= now,
  )
  const newest = state.epochs.findLast(({ installed }) => installed)
  return isDue && newest ? switchTo(state, newest.slot, now) : stay(state)
}

/** Never goes back. */
function switchTo(state: EpochRing, slot: number, now: Millis): Step {
  if (state.sending !== undefined && slot <= state.sending) return stay(state)
  const epochs = state.epochs.map((epoch) => {
    if (epoch.slot > slot) return epoch
    const retireAt = epoch.slot === slot ? undefined : (epoch.retireAt ?? now + OVERLAP_MS)
    return { ...epoch, switchAt: undefined, retireAt }
  })
  return { state: { ...state, epochs, sending: slot }, effects: [{ type: 'sendWith', slot }] }
}

function retireDue(state: EpochRing, now: Millis): Step {
  const due = state.epochs.filter(({ retireAt }) => retireAt !== undefined && retireAt <= now)
  if (due.length === 0) return stay(state)
  return {
    state: { ...state, epochs: state.epochs.filter((epoch) => !due.includes(epoch)) },
    effects: due.map(({ slot }) => ({ type: 'forget', slot })),
  }
}

function without({ sending }: EpochRing, gone: readonly RingEpoch[]): number | undefined {
  return gone.some(({ slot }) => slot === sending) ? undefined : sending
}

function then(step: Step, next: (state: EpochRing) => Step): Step {
  const { state, effects } = next(step.state)
  return { state, effects: [...step.effects, ...effects] }
}

function stay(state: EpochRing): Step {
  return { state, effects: [] }
}
