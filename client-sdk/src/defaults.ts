/** How long a request waits for its answer, reconnects included. */
export const REQUEST_TIMEOUT_MS = 20_000

/**
 * How long the first `connect()` tries. Longer hides a wrong address; shorter fails on a phone that
 * wakes its radio.
 */
export const CONNECT_BUDGET_MS = 20_000

/** How long a lost connection is retried: well past ten minutes of server outage. */
export const RECONNECT_BUDGET_MS = 15 * 60_000

/** How often quality is sampled. Shorter is noise: receiver reports come every second or so. */
export const QUALITY_INTERVAL_MS = 2_000

/** How often a warm path is asked whether it decodes. Shorter costs CPU, longer delays the switch. */
export const WARM_POLL_MS = 150

/**
 * How long the old path lives after a switch, for what the new one does not yet decode: longer than
 * another server needs to take the call over, should the switch be interrupted by that.
 */
export const DRAIN_MS = 15_000

/** How long the old path stays after all is swapped, for the other side's sake. */
export const LINGER_MS = 1_000

/** Sizes of tiles are told this long after the last change. */
export const VIEW_DEBOUNCE_MS = 150

/** STUN and TURN credentials are renewed this long before they end. */
export const ICE_REFRESH_MARGIN_MS = 60_000

/** How often and how long a seat is asked for that the server cannot give back yet. */
export const SEAT_RETRY_MS = 1_000
export const SEAT_ATTEMPTS = 10

/**
 * How often and how long a request is repeated while the server that holds the call is not reached:
 * longer than another one needs to take the call over.
 */
export const OWNER_RETRY_MS = 500
export const OWNER_ATTEMPTS = 40

/** How often and how long a call that rang is begun anew after the server has lost it. */
export const RING_AGAIN_RETRY_MS = 1_000
export const RING_AGAIN_ATTEMPTS = 8

/** How long a device that rang waits for that: longer than the caller tries. */
export const RING_AGAIN_WAIT_MS = 12_000

/** How often and how long `sfu.open` is tried while no node is there. */
export const SFU_OPEN_RETRY_MS = 1_000
export const SFU_OPEN_ATTEMPTS = 15

/** Whether calls are encrypted end to end where the app does not say. */
export const DEFAULT_ENCRYPTION: 'required' | 'off' = 'required'
