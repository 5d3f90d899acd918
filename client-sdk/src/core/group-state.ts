import type { Millis, OrderedCommit, ParticipantId } from '@parley/protocol'
import type { DeviceName, GroupNeeds, Leaf, Seat, Waiting } from './group-needs.ts'
import type { GroupResets } from './group-resets.ts'

/**
 * A device's part in its call's MLS group. The server orders commits by compare-and-set on the
 * epoch; the member at the lowest leaf commits first, and the next ones step in one after the other
 * if nothing comes. A commit counts when the server sends it back, one's own as well.
 * Rules: `docs/protocol/keys.md`.
 */
export interface GroupState {
  readonly self: ParticipantId
  readonly roster: readonly Seat[]
  readonly generation: number
  /** `outside`: has made no offer. `waiting`: has made one. */
  readonly phase: 'outside' | 'waiting' | 'member'
  /** The one piece of work that is under way. */
  readonly busy: GroupEffect['type'] | undefined
  /** Whether the call has a group, as far as one who waits knows. */
  readonly groupExists: boolean
  readonly view: GroupView | undefined
  /** Offers of devices that are in no group yet. */
  readonly waiting: ReadonlyMap<ParticipantId, Waiting>
  /** Own commit that the server has not answered yet. */
  readonly sent:
    { readonly epoch: number; readonly commit: string; readonly at: Millis } | undefined
  /** Commits that are not processed yet, in order. */
  readonly inbox: readonly OrderedCommit[]
  readonly welcome: Welcome | undefined
  /** Commits may have been missed. */
  readonly stale: boolean
  /** Messages were lost, and the group was not found to be the same yet. */
  readonly returning: boolean
  /** The server knows less of the group than we do. */
  readonly lost: boolean
  /** The server has refused to learn where the group stands: the call has gone on without us. */
  readonly overruled: boolean
  /** When one who waits enters without being asked in. */
  readonly enterAt: Millis
  /** After a failure nothing is begun before this. */
  readonly notBefore: Millis
  /** Since when something has to be committed. */
  readonly pressingSince: Millis | undefined
  readonly rekeyAt: Millis
  /** Attempts to get back into line, in a row. */
  readonly failures: number
  readonly resets: GroupResets
}

/** What the key agreement tells of the group at one epoch. */
export interface GroupView {
  readonly epoch: number
  readonly ownLeaf: number
  readonly leaves: readonly Leaf[]
}

/** How to enter a group. */
export interface Welcome {
  readonly epoch: number
  readonly welcome: string
  readonly groupInfo: string
}

export type GroupEvent =
  | { readonly type: 'roster'; readonly roster: readonly Seat[] }
  | { readonly type: 'waiting'; readonly participant: ParticipantId; readonly offer: Waiting }
  | { readonly type: 'created'; readonly generation: number }
  | {
      readonly type: 'commit'
      readonly generation: number
      readonly commit: OrderedCommit
    }
  | { readonly type: 'welcome'; readonly generation: number; readonly welcome: Welcome }
  | { readonly type: 'reset'; readonly generation: number }
  /** The answer to `offer`, and what `fetch` has found. */
  | {
      readonly type: 'status'
      readonly generation: number
      readonly epoch: number | null
      readonly commits: readonly OrderedCommit[]
      /** The server's group is at the same epoch, and is another one. */
      readonly other?: boolean
    }
  /** Own commit is on its way to the server. */
  | { readonly type: 'sent'; readonly epoch: number; readonly commit: string }
  /** The group was created or entered, or has taken a commit. */
  | {
      readonly type: 'moved'
      readonly view: GroupView
      readonly added: readonly DeviceName[]
    }
  | { readonly type: 'removed' }
  /** Somebody else was faster. */
  | { readonly type: 'refused'; readonly what: 'create' | 'commit' | 'reseed' }
  /** `hopeless`: trying again does not help. `unasked`: the server could not be asked. */
  | { readonly type: 'failed'; readonly hopeless?: boolean; readonly unasked?: boolean }
  | { readonly type: 'done' }
  /** Messages may have been lost. */
  | { readonly type: 'resync' }
  /** Somebody sends from an epoch that we do not know, or fresh keys are wanted. */
  | { readonly type: 'behind' }
  | { readonly type: 'renew' }
  | { readonly type: 'tick' }

/** Pieces of work: the next one begins when an event has told the end of this one. */
export type GroupEffect =
  | { readonly type: 'offer' }
  | { readonly type: 'create'; readonly generation: number }
  | { readonly type: 'enter'; readonly welcome: string; readonly groupInfo: string }
  | { readonly type: 'enterUninvited'; readonly generation: number }
  | { readonly type: 'commit'; readonly generation: number; readonly needs: GroupNeeds }
  /** Own commit has won. */
  | { readonly type: 'adopt' }
  | { readonly type: 'process'; readonly commit: OrderedCommit }
  | { readonly type: 'fetch'; readonly since: number | null }
  /** The server has lost the group: tell where it stands. */
  | { readonly type: 'reseed'; readonly generation: number }
  | { readonly type: 'reset'; readonly generation: number }
