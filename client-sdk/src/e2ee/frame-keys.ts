import type { ParticipantId } from '@parley/protocol'

/**
 * Why an epoch began. It decides how long senders wait for members who are not ready: 1 s where
 * somebody came, 500 ms where somebody went, who must not be heard by for longer.
 */
export type EpochCause = 'join' | 'leave' | 'refresh'

/** What frames need to know of one epoch of the call's MLS group. */
export interface FrameEpoch {
  /** The MLS epoch. Frames carry its low eight bits. */
  readonly epoch: bigint
  /**
   * `MLS-Exporter("SFrame 1.0 Base Key", "", 16)`, RFC 9605 §5.2. A copy for the listener, which
   * zeroes it when it has made its keys.
   */
  readonly baseKey: Uint8Array
  /** This device's leaf in the epoch's tree, 0 to 255. */
  readonly ownLeaf: number
  /** Whose leaf is which: from a participant in no leaf nothing is opened. */
  readonly leaves: ReadonlyMap<ParticipantId, number>
  readonly cause: EpochCause
}

/** With a secret of its own, for one listener. */
export function copyOf(epoch: FrameEpoch): FrameEpoch {
  return { ...epoch, baseKey: epoch.baseKey.slice() }
}

/** What a source of keys tells, in the order in which it happens. */
export interface FrameKeysListener {
  /** An epoch began: frames of it can be opened from now on. */
  epoch(epoch: FrameEpoch): void
  /** All members have said that they can open frames of `epoch`: senders need not wait longer. */
  allReady(epoch: bigint): void
  /**
   * This device is no member any more, or cannot trust the group: nothing is sealed or opened until
   * another epoch begins.
   */
  stopped(): void
}

/**
 * Where the keys of a call's frames come from. The group's state stays behind it; frames see one
 * secret per epoch, and old ones are kept for ten seconds by them.
 */
export interface FrameKeys {
  /** Tells the present epoch, if any, at once, and then what happens. The answer ends it. */
  listen(listener: FrameKeysListener): () => void
  /** Frames of `epoch` can be opened here: the others may be told that this device is ready. */
  installed(epoch: bigint): void
  /** A key is nearly used up: a new epoch is wanted. */
  renew(): void
}
