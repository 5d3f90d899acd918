// A device as stories about keys want it, without a browser: real sockets, groups and identities, and
// no media. It is never part of sdk.js.

import type { CallView, ParticipantId, ServerEvent, Welcome } from '@parley/protocol'
import type { CallEncryption, SecurityAlarm } from '../src/e2ee/call-encryption.ts'
import { memoryIdentityStore, trustOnFirstUse } from '../src/e2ee/identity/identity.ts'
import { EncryptionMaker } from '../src/encryption-maker.ts'
import { OwnIdentity } from '../src/own-identity.ts'
import type { Clock, Randomness } from '../src/ports.ts'
import { SeatHold } from '../src/seat-hold.ts'
import { Signaling } from '../src/signaling.ts'
import { socketIoLink } from '../src/socketio/link.ts'

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

const random: Randomness = {
  fraction: () => Math.random(),
  id: () => crypto.randomUUID().replaceAll('-', '').slice(0, 22),
}

/** A device in one call, as far as its keys go. */
export class KeyDevice {
  readonly identity: OwnIdentity
  readonly alarms: SecurityAlarm[] = []
  /** Sessions that the server gave, for who counts its deaths. */
  sessions = 0
  readonly #signaling: Signaling
  readonly #seat: SeatHold
  readonly #environment = { clock, identities: memoryIdentityStore() }
  #maker: EncryptionMaker | undefined
  #encryption: CallEncryption | undefined
  #self: ParticipantId | undefined
  #view: CallView | undefined

  constructor(url: string, user: string) {
    const device = `${user}-device`
    const token = async () => {
      const body = JSON.stringify({ user, device })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${url}/dev/token`, { method: 'POST', headers, body })
      return ((await answer.json()) as { readonly token: string }).token
    }
    const recall = () => Promise.resolve(undefined)
    const link = socketIoLink()
    this.#signaling = new Signaling({ clock, random, link, url, device, token, recall })
    const { request } = this.#signaling
    this.#seat = new SeatHold(request, clock)
    this.identity = new OwnIdentity({
      environment: this.#environment,
      request,
      trust: trustOnFirstUse,
    })
    this.#signaling.on('welcome', (welcome) => this.#onWelcome(welcome))
    this.#signaling.on('event', (event) => this.#onEvent(event))
    this.#signaling.connect()
  }

  /** Comes into a room. */
  async join(room: string): Promise<void> {
    const media = { audio: true, video: false }
    const answer = await this.#signaling.request('room.join', {
      // The server checks the name.
      room: room as never,
      media,
      topology: 'sfu',
    })
    if (!('call' in answer)) throw new Error('a lobby')
    this.#sit(answer.call, answer.participant)
  }

  /** The code of the call, which all of its people see, and nobody else. */
  get code(): string | undefined {
    return this.#encryption?.verification
  }

  /** How well the others are known, by their users. */
  get states(): Readonly<Record<string, string | undefined>> {
    const others = this.#view?.participants.filter(({ id }) => id !== this.#self) ?? []
    return Object.fromEntries(
      others.map(({ id, user }) => [user, this.#encryption?.assessmentOf(id)?.state]),
    )
  }

  close(): void {
    this.#encryption?.close()
    this.identity.close()
    this.#signaling.close()
  }

  #sit(view: CallView, self: ParticipantId): void {
    this.#encryption?.close()
    this.#view = view
    this.#self = self
    const encryption = this.#maker?.encryptionOf({ call: view.id, self })
    if (!encryption) throw new Error('a seat before a welcome')
    this.#encryption = encryption
    encryption.on('alarm', (alarm) => this.alarms.push(alarm))
    encryption.listen({
      // As the worker does once it has the key.
      epoch: ({ epoch }) => void Promise.resolve().then(() => encryption.installed(epoch)),
      allReady: () => undefined,
      stopped: () => undefined,
    })
    encryption.update(view)
  }

  #onWelcome({ user, device, resumed }: Welcome): void {
    const signaling = this.#signaling
    const identity = this.identity.open(user, device)
    // Of the surroundings, the keys use no more than that.
    const environment = this.#environment as never
    this.#maker ??= new EncryptionMaker({ environment, signaling, identity }, device)
    if (resumed === 'replayed') return
    this.sessions += 1
    this.identity.publish()
    if (this.#self !== undefined) void this.#retake()
  }

  async #retake(): Promise<void> {
    const { call, participant } = await this.#seat.take()
    if (participant !== this.#self) {
      this.#sit(call, participant)
      return
    }
    this.#see(call)
    this.#encryption?.resync()
  }

  #see(view: CallView): void {
    this.#view = view
    this.#encryption?.update(view)
  }

  #onEvent(event: ServerEvent): void {
    if (event.type === 'call.ticket') this.#seat.keep(event.data.ticket)
    else if (event.type === 'call.updated') this.#see(event.data.call)
    else if (event.type === 'devices.changed') this.identity.handle(event)
    else this.#encryption?.handle(event)
  }
}
