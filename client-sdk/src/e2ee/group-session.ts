import type {
  CallId,
  CallView,
  ClientRequestResult,
  ParticipantId,
  ServerEvent,
} from '@parley/protocol'
import { group, groupDeadline, newGroupState } from '../core/group.ts'
import type { GroupEffect, GroupEvent, GroupState } from '../core/group-state.ts'
import { Emitter } from '../emitter.ts'
import { CallError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Request } from '../signaling.ts'
import { alarmOf, isResetForNothing } from './group-alarms.ts'
import type { GroupAlarm } from './group-alarms.ts'
import { GroupError } from './group-key-agreement.ts'
import type {
  Group,
  GroupKeyAgreement,
  GroupMember,
  PreparedCommit,
} from './group-key-agreement.ts'
import { MemberMail } from './member-mail.ts'
import { MemberOffers } from './member-offers.ts'
import { fromText, toText } from './octets.ts'

/** What a group tells those who use its keys. */
interface GroupSessionEvents {
  /** The group is at another epoch, or has lost its keys. */
  moved: [group: Group | undefined]
  /** A sealed message of the member who has the seat `from`: his leaf's key says so. */
  message: [message: Uint8Array, from: ParticipantId]
  /** Something came that no honest server or member sends. */
  alarm: [alarm: GroupAlarm]
}

/** What is sealed for the members, in base64url, and which group of the call that is. */
export interface SealedMessage {
  readonly sealed: string
  readonly generation: number
}

/** What a group session is made with. */
export interface GroupSessionPorts {
  readonly call: CallId
  readonly self: ParticipantId
  readonly clock: Clock
  readonly request: Request
  readonly agreement: Promise<GroupKeyAgreement>
}

/** Carries out what the group's machine orders, and hands it what server and keys answer. */
export class GroupSession extends Emitter<GroupSessionEvents> {
  readonly #ports: GroupSessionPorts
  #state: GroupState
  #group: Group | undefined
  #pending: PreparedCommit | undefined
  /** Work on the group's state, which each piece takes up where the one before left it. */
  #work: Promise<unknown> = Promise.resolve()
  #cancelTick: () => void = () => undefined
  readonly #mail: MemberMail
  readonly #offers: MemberOffers
  /** What comes may be of another group: messages were lost, with a server that knew the order, perhaps. */
  #doubtful = false
  #closed = false

  constructor(ports: GroupSessionPorts) {
    super()
    this.#ports = ports
    this.#state = newGroupState(ports.self)
    this.#mail = new MemberMail({
      clock: ports.clock,
      open: (sealed) => this.#exclusively(() => this.#open(sealed)),
      epoch: () => this.#group?.epoch,
      seatOf: (participant) => this.#seatOf(participant),
      deliver: (message, from) => this.emit('message', message, from),
      behind: () => this.#dispatch({ type: 'behind' }),
      alarm: (kind, detail) => this.#alarm(kind, detail),
    })
    this.#offers = new MemberOffers({
      agreement: ports.agreement,
      seatOf: (participant) => this.#seatOf(participant),
      found: (participant, offer) => this.#dispatch({ type: 'waiting', participant, offer }),
      alarm: (kind, detail) => this.#alarm(kind, detail),
    })
  }

  /** The group as it stands; undefined while this device is in none. */
  get group(): Group | undefined {
    return this.#group
  }

  update({ participants }: CallView): void {
    const roster = participants.map(({ id, user, device, connected }) => ({
      participant: id,
      user,
      device,
      connected,
    }))
    // An offer may have come before its seat.
    const { waiting } = this.#state
    this.#dispatch({ type: 'roster', roster })
    for (const [participant, offer] of waiting) this.#offers.check(participant, offer)
  }

  /** Messages may have been lost. */
  resync(): void {
    this.#doubtful = true
    this.#dispatch({ type: 'resync' })
  }

  /** Fresh keys are wanted. */
  renew(): void {
    this.#dispatch({ type: 'renew' })
  }

  handle(event: ServerEvent): void {
    switch (event.type) {
      case 'mls.waiting':
        this.#offers.take([event.data])
        return
      case 'mls.created':
        this.#dispatch({ type: 'created', generation: event.data.generation })
        return
      case 'mls.commit': {
        const { generation, epoch, from, commit } = event.data
        this.#dispatch({ type: 'commit', generation, commit: { epoch, from, commit } })
        return
      }
      case 'mls.welcome': {
        const { generation, epoch, welcome, groupInfo } = event.data
        const entry = { epoch, welcome, groupInfo }
        this.#dispatch({ type: 'welcome', generation, welcome: entry })
        return
      }
      case 'mls.reset':
        this.#mail.forget()
        this.#dispatch({ type: 'reset', generation: event.data.generation })
        return
      case 'mls.message':
        this.take(event.data.from, { ...event.data, sealed: event.data.message })
        return
      default:
      // Not about the group.
    }
  }

  /** Sends a message that only members of the present epoch can read. */
  async send(message: Uint8Array): Promise<void> {
    const sealed = await this.seal(() => message)
    if (!sealed || this.#closed) return
    const { call, request } = this.#ports
    await request('mls.message', { call, generation: sealed.generation, message: sealed.sealed })
  }

  /** Seals what `write` gives for the epoch that the group is at, if it gives anything. */
  seal(write: (epoch: number) => Uint8Array | undefined): Promise<SealedMessage | undefined> {
    return this.#exclusively(async () => {
      const message = this.#group && write(this.#group.epoch)
      if (!this.#group || !message) return undefined
      const { sealed, group: next } = await this.#group.seal(message)
      this.#group = next
      return { sealed: toText(sealed), generation: this.#state.generation }
    })
  }

  /** Takes in what came sealed for the members; what is of a group that was given up says nothing. */
  take(from: ParticipantId, { sealed, generation }: SealedMessage): void {
    if (generation === this.#state.generation) void this.#mail.take(from, sealed)
  }

  close(): void {
    this.#closed = true
    this.#cancelTick()
    this.#mail.forget()
    this.#group = undefined
    this.#pending = undefined
  }

  #dispatch(event: GroupEvent): void {
    if (this.#closed) return
    const { clock } = this.#ports
    const { state, effects } = group(this.#state, event, clock.now())
    const isForNothing = isResetForNothing(this.#state, state)
    this.#state = state
    if (isForNothing) this.#alarm('group-reset', `for group ${state.generation} of this call`)
    if (state.phase !== 'member' && this.#group) {
      this.#group = undefined
      this.emit('moved', undefined)
    }
    this.#cancelTick()
    const deadline = groupDeadline(state)
    if (deadline !== undefined && Number.isFinite(deadline)) {
      const delayMs = Math.max(0, deadline - clock.now())
      this.#cancelTick = clock.after(delayMs, () => this.#dispatch({ type: 'tick' }))
    }
    for (const effect of effects) void this.#carryOut(effect)
  }

  async #carryOut(effect: GroupEffect): Promise<void> {
    try {
      await this.#exclusively(() => this.#run(effect))
    } catch (error) {
      this.#onFailure(effect, error)
    }
  }

  async #run(effect: GroupEffect): Promise<void> {
    const { call, request, agreement } = this.#ports
    switch (effect.type) {
      case 'offer': {
        const keyPackage = toText(await (await agreement).offer())
        const { waiting, ...status } = await request('mls.offer', { call, keyPackage })
        this.#offers.take(waiting)
        this.#dispatch({ type: 'status', ...status, commits: [] })
        return
      }
      case 'create':
        await this.#create(effect.generation)
        return
      case 'enter': {
        const welcome = bytesOf(effect.welcome)
        const entered = await (await agreement).enter(welcome, bytesOf(effect.groupInfo))
        this.#move(entered, entered.members)
        return
      }
      case 'enterUninvited': {
        const { groupInfo, generation, epoch } = await request('mls.fetch', { call, since: null })
        if (generation !== effect.generation) {
          this.#dispatch({ type: 'status', generation, epoch, commits: [] })
          return
        }
        if (groupInfo === null) throw new GroupError('the call has no group', 'hopeless')
        const prepared = await (await agreement).enterUninvited(bytesOf(groupInfo))
        this.#send(prepared, prepared.next.epoch - 1, effect.generation, [])
        return
      }
      case 'commit': {
        const now = this.#present()
        const { add, remove } = effect.needs
        const offers = add.flatMap((id) => this.#state.waiting.get(id)?.keyPackage ?? [])
        const prepared = await now.prepare({ add: offers.map(bytesOf), remove })
        this.#send(prepared, now.epoch, effect.generation, add)
        return
      }
      case 'adopt': {
        const { next } = this.#pending ?? {}
        this.#pending = undefined
        if (!next) throw new GroupError('a commit that is not ours')
        this.#move(next, next.members)
        return
      }
      case 'process': {
        this.#pending = undefined
        const processed = await this.#present().process(bytesOf(effect.commit.commit))
        if (processed === 'removed') this.#dispatch({ type: 'removed' })
        else this.#move(processed.group, processed.added)
        return
      }
      case 'fetch': {
        const found = await request('mls.fetch', { call, since: effect.since })
        this.#offers.take(found.waiting)
        const { generation, epoch, commits } = found
        const other = this.#isOther(found)
        this.#doubtful &&= epoch !== this.#group?.epoch
        this.#dispatch({ type: 'status', generation, epoch, commits, other })
        return
      }
      case 'reseed': {
        const { generation } = effect
        const now = this.#present()
        const groupInfo = toText(await now.publicState())
        await request('mls.create', { call, generation, epoch: now.epoch, groupInfo }).then(
          () => this.#dispatch({ type: 'done' }),
          (error: unknown) => this.#onRefused('reseed', error),
        )
        return
      }
      case 'reset':
        await request('mls.reset', { call, generation: effect.generation })
        this.#dispatch({ type: 'done' })
    }
  }

  /** Two servers may have had the call for a while, and each an order of its own. */
  #isOther({ generation, epoch, groupInfo }: ClientRequestResult<'mls.fetch'>): boolean {
    const own = this.#group
    if (!own || epoch !== own.epoch || generation !== this.#state.generation) return false
    return groupInfo !== null && !own.isAt(bytesOf(groupInfo))
  }

  async #create(generation: number): Promise<void> {
    const { call, request, agreement } = this.#ports
    const created = await (await agreement).create()
    const groupInfo = toText(await created.publicState())
    try {
      await request('mls.create', { call, generation, epoch: created.epoch, groupInfo })
    } catch (error) {
      this.#onRefused('create', error)
      return
    }
    this.#move(created, created.members)
  }

  #onRefused(what: 'create' | 'reseed', error: unknown): void {
    if (!isStale(error)) throw error
    this.#dispatch({ type: 'refused', what })
  }

  /** Hands a commit in. Whether it has won, the server's order tells, not the answer. */
  #send(
    prepared: PreparedCommit,
    epoch: number,
    generation: number,
    added: readonly ParticipantId[],
  ): void {
    const commit = toText(prepared.commit)
    this.#pending = prepared
    this.#dispatch({ type: 'sent', epoch, commit })
    const { call, request } = this.#ports
    const { welcome } = prepared
    request('mls.commit', {
      call,
      generation,
      epoch,
      commit,
      groupInfo: toText(prepared.groupInfo),
      ...(welcome && { welcome: toText(welcome) }),
      added: [...added],
    }).catch((error: unknown) => {
      if (isStale(error)) this.#dispatch({ type: 'refused', what: 'commit' })
    })
  }

  #move(next: Group, added: readonly Omit<GroupMember, 'leaf'>[]): void {
    if (this.#closed) return
    this.#group = next
    this.#doubtful = false
    const { epoch, ownLeaf, members: leaves } = next
    this.emit('moved', next)
    this.#dispatch({ type: 'moved', view: { epoch, ownLeaf, leaves }, added })
    this.#mail.moved()
  }

  #onFailure(effect: GroupEffect, error: unknown): void {
    if (this.#closed) return
    const kind = alarmOf(effect)
    const hopeless = error instanceof GroupError && error.kind === 'hopeless'
    const isDoubtful = kind === 'bad-commit' && this.#doubtful
    if (error instanceof GroupError && kind && !hopeless && !isDoubtful) {
      this.#alarm(kind, error.message)
    }
    this.#dispatch({ type: 'failed', hopeless, unasked: error instanceof CallError })
  }

  async #open(sealed: string) {
    const opened = await this.#group?.open(bytesOf(sealed))
    if (opened) this.#group = opened.group
    return opened
  }

  #seatOf(participant: ParticipantId) {
    return this.#state.roster.find((seat) => seat.participant === participant)
  }

  #alarm(kind: GroupAlarm['kind'], detail: string): void {
    if (!this.#closed) this.emit('alarm', { kind, detail })
  }

  #present(): Group {
    if (!this.#group) throw new GroupError('no member')
    return this.#group
  }

  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#work.then(run)
    this.#work = result.catch(() => undefined)
    return result
  }
}

function isStale(error: unknown): boolean {
  return error instanceof CallError && error.code === 'mls-stale-epoch'
}

function bytesOf(text: string) {
  const bytes = fromText(text)
  if (!bytes) throw new GroupError('not base64url')
  return bytes
}
