import type {
  CallId,
  CallView,
  ParticipantId,
  ParticipantView,
  ServerEvent,
} from '@parley/protocol'
import { sameDevice } from '../core/group-needs.ts'
import { Emitter } from '../emitter.ts'
import { CallError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Request } from '../signaling.ts'
import { EpochProof } from './epoch-proof.ts'
import { copyOf } from './frame-keys.ts'
import type { FrameEpoch, FrameKeys, FrameKeysListener } from './frame-keys.ts'
import type { GroupAlarm } from './group-alarms.ts'
import type { Group, GroupKeyAgreement, GroupMember } from './group-key-agreement.ts'
import { GroupSession } from './group-session.ts'
import type { SealedMessage } from './group-session.ts'
import { callCode } from './identity/codes.ts'
import type { Assessment, Identity } from './identity/identity.ts'
import { toText } from './octets.ts'
import { Overdue } from './overdue.ts'
import { HeldMembers } from './held-members.ts'
import { PeerBinding } from './peer-binding.ts'
import { SealedTalk } from './sealed-talk.ts'
import type { Said, Saying } from './sealed-talk.ts'

/** What went wrong with the security of a call, and whose doing it may be. */
export interface SecurityAlarm {
  readonly kind:
    | GroupAlarm['kind']
    | 'unknown-member'
    | 'silent-member'
    | 'identity-changed'
    | 'identity-refused'
    | 'peer-unverified'
  /** Whom it is about, where it is about one. */
  readonly participant?: ParticipantId
  readonly detail: string
}

interface CallEncryptionEvents {
  /** The code, or what is thought of somebody, changed. */
  changed: []
  alarm: [alarm: SecurityAlarm]
  /** Somebody has said something, sealed. */
  said: [said: Said]
}

/** What a call's encryption is made with. */
export interface CallEncryptionPorts {
  readonly call: CallId
  readonly self: ParticipantId
  readonly clock: Clock
  readonly request: Request
  readonly identity: Promise<Identity>
  readonly agreement: Promise<GroupKeyAgreement>
  /** Whether this device is connected to the server. */
  readonly hears: () => boolean
}

/** A member without a seat may be one whose seat is announced a moment later. */
const UNKNOWN_PATIENCE_MS = 3_000
/** One who had a seat is on his way out, which takes the others a commit, over whatever network. */
const LEFTOVER_PATIENCE_MS = 10_000

/** Keys are agreed on in a second or two; longer than this somebody has to look. */
const SEAL_PATIENCE_MS = 10_000

const NONCE_BYTES = 32

const BASE_KEY = { label: 'SFrame 1.0 Base Key', bytes: 16 } as const

/**
 * The keys of one call: its group, what is thought of its members, and the secret of each epoch for
 * the frames. An epoch with somebody in it who is not trusted is not used: the one before it, which
 * he has no part in, stays until he is gone or accepted. Once somebody has left who had a part in that
 * one, nothing is sent or opened until then.
 */
export class CallEncryption extends Emitter<CallEncryptionEvents> implements FrameKeys {
  readonly #ports: CallEncryptionPorts
  readonly #session: GroupSession
  readonly #listeners = new Set<FrameKeysListener>()
  readonly #assessments = new Map<string, Assessment>()
  readonly #proof: EpochProof
  readonly #talk: SealedTalk
  readonly #strangers: Overdue
  readonly #leftovers: Overdue
  readonly #held: HeldMembers
  /** Everybody who ever had a seat here: who leaves is in the tree a moment longer. */
  #known: readonly ParticipantView[] = []
  #seats: readonly ParticipantView[] = []
  #published: { readonly group: Group; readonly epoch: FrameEpoch } | undefined
  /** Waiting for somebody to be in the group and trusted. */
  readonly #awaiting: (() => void)[] = []
  #closed = false

  constructor(ports: CallEncryptionPorts) {
    super()
    this.#ports = ports
    this.#session = new GroupSession(ports)
    this.#session.on('moved', (group) => this.#onMoved(group))
    this.#session.on('alarm', (alarm) => this.emit('alarm', alarm))
    this.#session.on('message', (message, from) => {
      if (!this.#talk.take(message, from)) this.#proof.take(message, from)
    })
    const { self, clock, hears } = ports
    const tell = (names: readonly string[]) =>
      this.emit('alarm', { kind: 'unknown-member', detail: names.join(', ') })
    this.#strangers = new Overdue({ clock, hears, patienceMs: UNKNOWN_PATIENCE_MS, tell })
    this.#leftovers = new Overdue({ clock, hears, patienceMs: LEFTOVER_PATIENCE_MS, tell })
    this.#held = new HeldMembers(clock, (held) => this.#lookAgain(held))
    this.#talk = new SealedTalk({
      ...{ self, clock },
      isTrusted: (id) => this.assessmentOf(id)?.decision === 'accept',
      tell: (said) => this.emit('said', said),
      alarm: (participant, detail) =>
        this.emit('alarm', { kind: 'bad-message', participant, detail }),
    })
    this.#proof = new EpochProof({
      ...{ self, clock, hears },
      present: () => this.#session.group?.epoch,
      send: (message) => this.#session.send(message),
      allReady: (epoch) => {
        for (const listener of this.#listeners) listener.allReady(epoch)
      },
      silent: (participant, detail) =>
        this.emit('alarm', { kind: 'silent-member', participant, detail }),
    })
  }

  /** 30 digits that are the same for all who are in the call, and for nobody between them. */
  get verification(): string | undefined {
    const { group } = this.#session
    return group && group.members.length > 1 ? callCode(group.authenticator) : undefined
  }

  /** Binds a direct path to this device and that of `peer`. */
  bindingTo(peer: ParticipantId): PeerBinding {
    const { call, self, identity } = this.#ports
    const own = this.#seats.find(({ id }) => id === self)
    if (!own) throw new TypeError('a path before a seat')
    return new PeerBinding({
      call,
      self: { participant: self, user: own.user, device: own.device },
      key: async () => (await identity).key,
      peer: async () => ({ participant: peer, ...(await this.trustedMember(peer)) }),
      nonce: () => crypto.getRandomValues(new Uint8Array(NONCE_BYTES)),
    })
  }

  /** Somebody on a direct path could not prove who he is. */
  reportUnverified(participant: ParticipantId, detail: string): void {
    this.emit('alarm', { kind: 'peer-unverified', participant, detail })
  }

  /** What is thought of a participant; undefined until he is in the group. */
  assessmentOf(participant: ParticipantId): Assessment | undefined {
    const member = this.memberOf(participant)
    return member && this.#assessments.get(nameOf(member))
  }

  /** The member of the group who sits there. */
  memberOf(participant: ParticipantId): GroupMember | undefined {
    const seat = this.#seats.find(({ id }) => id === participant)
    return seat && this.#session.group?.members.find((member) => sameDevice(member, seat))
  }

  /** Waits until a participant is in the group, and trusted. */
  async trustedMember(participant: ParticipantId): Promise<GroupMember> {
    for (;;) {
      const member = this.memberOf(participant)
      if (member && this.#assessments.get(nameOf(member))?.decision === 'accept') return member
      await new Promise<void>((resolve) => this.#awaiting.push(resolve))
    }
  }

  /**
   * Seals what is said to the others, or to one of them, for the members of the present epoch. Waits
   * until all of them are trusted; rejects with `encryption-pending` where that takes long.
   */
  async seal(saying: Saying, to: ParticipantId | undefined): Promise<SealedMessage> {
    const { clock } = this.#ports
    const deadline = clock.now() + SEAL_PATIENCE_MS
    for (;;) {
      const sealed = await this.#session.seal((epoch) => {
        const isUsed = this.#published?.group.epoch === epoch
        return isUsed ? this.#talk.write(saying, to, epoch) : undefined
      })
      if (sealed) return sealed
      const leftMs = deadline - clock.now()
      if (this.#closed || leftMs <= 0) throw new CallError('encryption-pending')
      await new Promise<void>((resolve) => {
        const cancel = clock.after(leftMs, resolve)
        const go = () => {
          cancel()
          resolve()
        }
        this.#awaiting.push(go)
      })
    }
  }

  /** Takes in what somebody has sealed: it is told as `said`, if it is what it should be. */
  take(from: ParticipantId, sealed: SealedMessage): void {
    this.#session.take(from, sealed)
  }

  update(view: CallView): void {
    this.#seats = view.participants
    const isNew = (seat: ParticipantView) => !this.#known.some((one) => one.id === seat.id)
    this.#known = [...this.#known, ...view.participants.filter(isNew)].slice(-MOST_KNOWN)
    this.#session.update(view)
    this.#proof.update(view)
    void this.#review()
  }

  handle(event: ServerEvent): void {
    this.#session.handle(event)
  }

  resync(): void {
    this.#session.resync()
  }

  /** The person has looked at a changed identity and takes it. */
  async accept(participant: ParticipantId): Promise<void> {
    const member = this.memberOf(participant)
    const before = member && this.#assessments.get(nameOf(member))
    if (!member || before?.decision !== 'hold') return
    await (await this.#ports.identity).accept(member)
    const accepted = { state: 'pinned', reason: undefined, decision: 'accept' } as const
    this.#assessments.set(nameOf(member), accepted)
    await this.#review()
  }

  /** The two have compared their number. */
  async markVerified(participant: ParticipantId): Promise<void> {
    const member = this.memberOf(participant)
    const before = member && this.#assessments.get(nameOf(member))
    if (!member || !before || before.decision !== 'accept') return
    if (!(await (await this.#ports.identity).markVerified(member))) return
    this.#assessments.set(nameOf(member), { ...before, state: 'verified' })
    this.emit('changed')
  }

  async safetyNumberWith(participant: ParticipantId): Promise<string | undefined> {
    const member = this.memberOf(participant)
    return member && (await this.#ports.identity).safetyNumberWith(member)
  }

  listen(listener: FrameKeysListener): () => void {
    this.#listeners.add(listener)
    if (this.#published) listener.epoch(copyOf(this.#published.epoch))
    return () => this.#listeners.delete(listener)
  }

  installed(epoch: bigint): void {
    const { group } = this.#session
    if (!group || BigInt(group.epoch) !== epoch) return
    this.#proof.installed(epoch)
  }

  renew(): void {
    this.#session.renew()
  }

  close(): void {
    this.#closed = true
    this.#strangers.close()
    this.#leftovers.close()
    this.#held.close()
    this.#proof.close()
    this.#session.close()
    this.#stop()
    this.#listeners.clear()
  }

  #onMoved(group: Group | undefined): void {
    this.#talk.moved(group?.epoch)
    if (group) void this.#review()
    else {
      this.#stop()
      this.#proof.forget()
    }
    this.emit('changed')
  }

  /** Looks at all members, and begins to use the epoch if nothing is wrong with any of them. */
  async #review(): Promise<void> {
    const { group } = this.#session
    if (!group) return
    for (const member of group.members) await this.#assess(member)
    if (this.#closed || this.#session.group?.epoch !== group.epoch) return
    const strangers = group.members.filter((member) => !isAmong(this.#known, member))
    this.#strangers.see(strangers.map(titleOf))
    const leftovers = group.members.filter(
      (member) => !strangers.includes(member) && !isAmong(this.#seats, member),
    )
    this.#leftovers.see(leftovers.map(titleOf))
    this.#held.see(group.members.filter(this.#isChanged))
    const held = group.members.some(
      (member) =>
        member.leaf !== group.ownLeaf &&
        this.#assessments.get(nameOf(member))?.decision !== 'accept',
    )
    if (strangers.length === 0 && !held) await this.#publish(group)
    else if (this.#hasLost(group)) this.#stop()
    this.#talk.review()
    for (const resolve of this.#awaiting.splice(0)) resolve()
    this.emit('changed')
  }

  async #assess(member: GroupMember): Promise<void> {
    const name = nameOf(member)
    const isSelf = member.leaf === this.#session.group?.ownLeaf
    if (isSelf || this.#assessments.has(name)) return
    const found = await (await this.#ports.identity).assess(member)
    // Two reviews may have asked.
    if (this.#assessments.has(name) || this.#closed) return
    this.#assessments.set(name, found)
    const participant = this.#seats.find((seat) => sameDevice(seat, member))?.id
    const about = { ...(participant && { participant }), detail: found.reason ?? found.state }
    if (found.decision === 'refuse') this.emit('alarm', { kind: 'identity-refused', ...about })
    else if (found.state === 'changed') this.emit('alarm', { kind: 'identity-changed', ...about })
  }

  readonly #isChanged = (member: GroupMember) => {
    const found = this.#assessments.get(nameOf(member))
    return found?.state === 'changed' && found.decision === 'hold'
  }

  async #lookAgain(held: readonly GroupMember[]): Promise<void> {
    const identity = await this.#ports.identity
    for (const member of held) {
      if ((await identity.stateOf(member)) !== 'changed') this.#assessments.delete(nameOf(member))
    }
    if (!this.#closed) await this.#review()
  }

  /** Somebody has gone who knows the keys in use; none newer can be used, so none are. */
  #hasLost({ members }: Group): boolean {
    const names = new Set(members.map(nameOf))
    return this.#published?.group.members.some((member) => !names.has(nameOf(member))) ?? false
  }

  async #publish(group: Group): Promise<void> {
    const before = this.#published?.group
    if (before && before.epoch >= group.epoch) return
    const baseKey = await group.exportSecret(BASE_KEY.label, BASE_KEY.bytes)
    if (this.#closed || this.#session.group?.epoch !== group.epoch) return
    const leaves = new Map(
      group.members.flatMap((member) => {
        const seat = this.#seats.find((one) => sameDevice(one, member))
        return seat ? [[seat.id, member.leaf] as const] : []
      }),
    )
    const cause = causeOf(before?.members ?? [], group.members)
    const epoch = { epoch: BigInt(group.epoch), baseKey, ownLeaf: group.ownLeaf, leaves, cause }
    this.#published?.epoch.baseKey.fill(0)
    this.#published = { group, epoch }
    this.#proof.begin(epoch)
    for (const listener of this.#listeners) listener.epoch(copyOf(epoch))
  }

  #stop(): void {
    this.#published?.epoch.baseKey.fill(0)
    if (!this.#published) return
    this.#published = undefined
    this.#proof.begin(undefined)
    for (const listener of this.#listeners) listener.stopped()
  }
}

/** People whose seats are remembered. */
const MOST_KNOWN = 500

function nameOf({ user, device, deviceKey }: GroupMember): string {
  return JSON.stringify([user, device, toText(deviceKey)])
}

function titleOf({ user, device }: GroupMember): string {
  return `${user} (${device})`
}

function isAmong(seats: readonly ParticipantView[], member: GroupMember): boolean {
  return seats.some((seat) => sameDevice(seat, member))
}

function causeOf(
  before: readonly GroupMember[],
  after: readonly GroupMember[],
): FrameEpoch['cause'] {
  const names = new Set(after.map(nameOf))
  if (before.some((member) => !names.has(nameOf(member)))) return 'leave'
  return after.length > before.length ? 'join' : 'refresh'
}
