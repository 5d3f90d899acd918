import type {
  DeviceAddress,
  DeviceId,
  Millis,
  ServerEvent,
  SessionId,
  UserId,
} from '@parley/protocol'
import type { Log } from '@parley/service'
import type { CallFact } from './core/call-facts.ts'
import type { Directory } from './directory.ts'
import { MissedCalls } from './missed-calls.ts'
import type { Environment, Waker, WakeRing } from './ports.ts'
import { PresenceFeed } from './presence.ts'
import { memoryDeviceLists } from './store/device-lists.ts'
import type { DeviceLists } from './store/device-lists.ts'
import { memoryMailbox } from './store/mailbox.ts'
import type { Mailbox, NewMissedCall } from './store/mailbox.ts'
import { memoryPushSubscriptions } from './store/push-subscriptions.ts'
import type { PushSubscriptions } from './store/push-subscriptions.ts'
import { noWaker } from './wake/wakes.ts'
import type { WebPush } from './wake/web-push.ts'

/** Where people are kept in mind, and how they are reached. */
export interface PeopleOptions {
  readonly mailbox: Mailbox
  readonly subscriptions: PushSubscriptions
  readonly deviceLists: DeviceLists
  readonly waker: Waker
  /** `undefined` where Web Push is off. */
  readonly webPush: WebPush | undefined
  /** Told of each missed call. */
  readonly onMissed?: (user: UserId, missed: NewMissedCall) => void
}

/** What people need of the hub. */
export interface PeoplePorts {
  readonly env: Environment
  readonly log: Log
  readonly directory: Directory
  isInCall(user: UserId): boolean
  /** Nothing can bring a device of the user to the call. */
  wakeFailed(ring: WakeRing): void
}

/** Missed calls are kept that long where nothing else is said. */
const KEEP_MS = 30 * 24 * 60 * 60 * 1_000

/** People in memory, whom nothing wakes and everybody may watch. */
export function plainPeople(): PeopleOptions {
  return {
    mailbox: memoryMailbox(KEEP_MS),
    subscriptions: memoryPushSubscriptions(),
    deviceLists: memoryDeviceLists(),
    waker: noWaker,
    webPush: undefined,
  }
}

/** People besides their calls: who is there, who is to be woken, who has missed what. */
export class People {
  readonly presence: PresenceFeed
  readonly missed: MissedCalls
  readonly waker: Waker
  readonly subscriptions: PushSubscriptions
  readonly deviceLists: DeviceLists
  readonly webPush: WebPush | undefined
  readonly #ports: PeoplePorts
  readonly #onMissed: PeopleOptions['onMissed']

  constructor(options: PeopleOptions, ports: PeoplePorts) {
    const { env, log, directory } = ports
    this.#ports = ports
    this.waker = options.waker
    this.#onMissed = options.onMissed
    this.subscriptions = options.subscriptions
    this.deviceLists = options.deviceLists
    this.webPush = options.webPush
    const isOpen = (session: SessionId) => directory.find(session) !== undefined
    this.presence = new PresenceFeed({
      now: () => env.now(),
      connectedUsers: () => directory.connectedUsers(),
      connectedDevices: (user) => directory.connectedDevices(user),
      moodsOf: (user) => directory.moodsOf(user),
      isInCall: (user) => ports.isInCall(user),
      tellSession: (session, event) => directory.tellSession(session, event),
    })
    this.missed = new MissedCalls({
      env,
      log,
      mailbox: options.mailbox,
      sessionsOf: (user) => directory.sessionsOf(user),
      isOpen,
      tell: (session, missed) =>
        directory.tellSession(session, { type: 'mailbox.missed', data: { missed: [...missed] } }),
      tellElsewhere: (user, missed) =>
        directory.tellElsewhere(user, { type: 'mailbox.missed', data: { missed: [missed] } }),
    })
  }

  /** A device has a session that has heard nothing yet, or has lost what it heard. */
  arrived(session: SessionId, at: DeviceAddress): void {
    void this.missed.deliver(session, at)
  }

  /** Tells a device here what another node has for it; `false` where that is nothing of people's. */
  heard(to: DeviceAddress, event: ServerEvent): boolean {
    const session = this.#ports.directory.sessionOf(to)
    if (event.type !== 'mailbox.missed' || session === undefined) return false
    this.missed.tell(session, event.data.missed)
    return true
  }

  left(session: SessionId, at: DeviceAddress): void {
    this.missed.forget(session)
    this.presence.unsubscribe(session)
    this.presence.refresh(at.user)
  }

  /** Something happened to a call. */
  note(fact: CallFact): void {
    if (fact.type === 'rung') this.#wake(fact)
    else if (fact.type === 'missed') {
      const { user, reason, at, call, invitation } = fact
      const { by: from, media, payload } = invitation
      const words = { call: call.id, from, media, reason, at }
      this.leaveMissed(user, payload === undefined ? words : { ...words, payload })
    }
  }

  /** Leaves a missed call for a user, and word of it with the devices that are asleep. */
  leaveMissed(user: UserId, missed: NewMissedCall): void {
    this.#onMissed?.(user, missed)
    void this.missed.leave(user, missed)
    void this.waker.tellMissed(user, missed, this.#awake(user))
  }

  nextDeadline(): Millis | undefined {
    return this.presence.nextDeadline()
  }

  tick(now: Millis): void {
    this.presence.tick(now)
  }

  stop(): void {
    this.missed.stop()
  }

  #wake({ call, user, invitation, deadline }: Extract<CallFact, { type: 'rung' }>): void {
    const ring: WakeRing = { call: call.id, user, invitation, deadline }
    const except = this.#awake(user)
    void this.waker.wake(ring, except).then((reached) => {
      if (!reached && except.length === 0) this.#ports.wakeFailed(ring)
    })
  }

  /** Devices that hear of a call without being woken. */
  #awake(user: UserId): readonly DeviceId[] {
    return this.#ports.directory.connectedDevices(user)
  }
}
