import type { LayerReason, Millis } from '@parley/protocol'

/**
 * How long a layer is still asked for after its last viewer left it. Longer keeps switching views
 * quick; shorter saves the publisher's uplink and battery.
 */
export const LOWER_AFTER_MS = 5_000

/** The highest layer of a stream that anybody takes; −1 for nobody. */
export interface Demand {
  /** What the publisher was told last; he begins with all layers. */
  readonly layer: number
  /** Set while less than that is wanted. */
  readonly lowerAt: Millis | undefined
}

/** The demand for a new stream of `layers` spatial layers. */
export function newDemand(layers: number): Demand {
  return { layer: layers - 1, lowerAt: undefined }
}

/** Follows what is wanted: up at once, down after {@link LOWER_AFTER_MS}. */
export function demand(state: Demand, wanted: number, now: Millis): Demand {
  if (wanted > state.layer) return { layer: wanted, lowerAt: undefined }
  if (wanted === state.layer) {
    return state.lowerAt === undefined ? state : { layer: wanted, lowerAt: undefined }
  }
  const lowerAt = state.lowerAt ?? now + LOWER_AFTER_MS
  if (now >= lowerAt) return { layer: wanted, lowerAt: undefined }
  return state.lowerAt === undefined ? { layer: state.layer, lowerAt } : state
}

/** Why a publisher of `layers` layers is asked for `layer`. */
export function demandReason(layer: number, layers: number): LayerReason {
  if (layer < 0) return 'not-watched'
  return layer === layers - 1 ? 'full' : 'tile-size'
}
