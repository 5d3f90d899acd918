import type {
  CallId,
  CallMedia,
  ClientRequestResult,
  ParticipantId,
  RoomName,
  ServerEvent,
  ServerEventData,
  UserId,
  Welcome,
} from '@parley/protocol'
import { CallSession } from './call-session.ts'
import { ringData } from './ring-again.ts'
import type { Entered } from './call-session.ts'
import type { CallContext, CallOrigin } from './call-context.ts'
import { Call } from './call.ts'
import type { MediaOptions } from './call.ts'
import type { Lobby } from './core/call-state.ts'
import { isOnlyWith } from './core/holding.ts'
import type { KeptCall } from './core/page-record.ts'
import { Emitter } from './emitter.ts'
import { abortable } from './errors.ts'
import { OtherCalls } from './other-calls.ts'

interface CallBookEvents {
  incoming: [call: Call]
  /** A call that the page was in before its reload is back. */
  resumed: [call: Call]
  /** What a reload should find again has changed. */
  kept: []
}

/** An answer that gives a seat. */
type Joined = ClientRequestResult<'call.start'>
type Incoming = ServerEventData<'call.incoming'>
type Transferred = ServerEventData<'call.transferred'>

/** Events of calls that are not known yet, at most: they wait for the answer to a join. */
const MOST_EARLY = 100

/** How users are rung. */
interface Ringing extends CallMedia {
  readonly payload: string | undefined
  readonly signal: AbortSignal | undefined
}

/** The calls of a client: starts them, and hands each what the server tells of it. */
export class CallBook extends Emitter<CallBookEvents> {
  readonly #context: CallContext
  /** Calls of the user's other devices. */
  readonly others: OtherCalls
  readonly #sessions = new Map<CallId, CallSession>()
  readonly #calls = new Map<CallSession, Call>()
  #entering = 0
  /** Until each call of the page before its reload has its seat again, or is over. */
  #restoring: Promise<unknown> = Promise.resolve()
  #early: readonly { call: CallId; event: ServerEvent }[] = []

  constructor(context: Omit<CallContext, 'inAnotherCall'>) {
    super()
    this.#context = { ...context, inAnotherCall: (id) => this.#isInCallBut(id) }
    this.others = new OtherCalls((id, options, replaces) => this.joinCall(id, options, replaces))
  }

  /** The calls that have not ended. */
  get calls(): readonly Call[] {
    return [...this.#sessions.values()].flatMap((session) => this.#calls.get(session) ?? [])
  }

  /** Rings users. One who rings this device already, or is in a call with it, is rung no second time. */
  async start(names: readonly string[], { payload, signal, ...media }: Ringing): Promise<Call> {
    await abortable(this.#restoring, signal)
    // The server checks the names.
    const users = [...names] as UserId[]
    const known = this.#sessionWith(users)
    if (known) return this.#goOn(known, media, signal)
    const { random } = this.#context.environment
    // A fresh random id is one of the right kind.
    const id = random.id() as CallId
    const about = {
      direction: 'outgoing',
      media,
      ...(payload !== undefined && { payload }),
    } as const
    const session = new CallSession(this.#context, { id, ...about })
    this.#keep(session)
    return this.#enter(
      session,
      signal,
      async () => {
        const ring = await ringData(this.#context, session.origin, { call: id, users })
        return this.#context.request('call.start', ring)
      },
      // While the devices were opened the other side may have called.
      () => this.#sessionWith(users, session),
    )
  }

  /** Comes into a call in progress. */
  async joinCall(
    call: CallId,
    { audio = false, video = false, signal }: MediaOptions,
    replaces?: ParticipantId,
  ): Promise<Call> {
    await abortable(this.#restoring, signal)
    const media = { audio, video }
    const session = new CallSession(this.#context, { id: call, direction: 'joined', media })
    const { encrypts: encrypted } = this.#context
    const data = { call, media, encrypted, ...(replaces && { replaces }) }
    return this.#enter(session, signal, () => this.#context.request('call.join', data))
  }

  async join(room: string, media: CallMedia, signal?: AbortSignal): Promise<Call> {
    await abortable(this.#restoring, signal)
    const { request, topology, environment, encrypts: encrypted } = this.#context
    // Which call the room is, the answer says.
    const id = environment.random.id() as CallId
    const session = new CallSession(this.#context, { id, direction: 'room', media })
    // The server checks the name.
    const data = { room: room as RoomName, media, topology, encrypted }
    const knock = () => {
      // A room that holds another call by now is not the one that this device waits for.
      const { lobby } = session.facts
      return request('room.join', lobby ? { ...data, call: lobby.call } : data)
    }
    return this.#enter(session, signal, knock)
  }

  /** Takes in an event, if it is one of a call. */
  handle(event: ServerEvent): void {
    if (event.type === 'call.incoming') {
      this.#onIncoming(event.data)
      return
    }
    if (event.type === 'call.elsewhere') {
      this.others.see(event.data.call)
      return
    }
    if (event.type === 'call.transferred') {
      this.#onTransferred(event.data)
      return
    }
    const id = callOf(event)
    if (id === undefined) return
    const session = this.#sessions.get(id)
    // Let in after this page had stopped waiting.
    if (!session && event.type === 'call.admitted' && this.#entering === 0) this.#leave(id)
    if (session) {
      session.handle(event)
      if (event.type === 'call.ticket') this.emit('kept')
    }
    if (!session && this.#entering > 0)
      this.#early = [...this.#early, { call: id, event }].slice(-MOST_EARLY)
  }

  /** After a connection: what became of the calls meanwhile. */
  resume({ resumed, calls }: Pick<Welcome, 'resumed' | 'calls'>): void {
    if (resumed === 'replayed') return
    const views = new Map(calls.map((view) => [view.id, view]))
    for (const session of [...this.#sessions.values()]) {
      const view = views.get(session.id)
      if (session.state === 'waiting') {
        void session.knockAgain()
        continue
      }
      if (session.isEntering) continue
      void session.retake(view ? { known: view } : {})
    }
  }

  /** There is no server any more. */
  failAll(): void {
    for (const session of [...this.#sessions.values()]) session.finish('failed')
  }

  /** Passes on what bears on the way back to media. */
  hint(event: Parameters<CallSession['hint']>[0]): void {
    for (const session of [...this.#sessions.values()]) session.hint(event)
  }

  /** What a reload should find again. */
  get kept(): readonly KeptCall[] {
    return [...this.#sessions.values()].flatMap((session) => session.kept ?? [])
  }

  /**
   * Brings back the calls that the page was in before its reload, with what was sent then. What the app
   * begins meanwhile waits: the server would answer it with the seat of the page before, which is about
   * to go.
   */
  restore(calls: readonly KeptCall[]): void {
    this.#restoring = Promise.all(
      calls.map((call) =>
        this.#restore(call, { audio: call.audio, video: call.video })
          // Better seen and heard by nobody than lost.
          .catch(() => this.#restore(call, { audio: false, video: false }))
          .then(
            (restored) => this.emit('resumed', restored),
            // The call is over.
            () => undefined,
          ),
      ),
    )
  }

  #restore({ id, ticket, direction, from }: KeptCall, media: CallMedia): Promise<Call> {
    // The server gave these ids.
    const origin = { id: id as CallId, direction, media, ...(from && { from: from as UserId }) }
    const session = new CallSession(this.#context, origin)
    session.keepTicket(ticket)
    return this.#enter(session, undefined, () => session.takeFresh())
  }

  /** The page goes away: nobody waits for calls that were not answered yet. */
  leaveUnanswered(): void {
    for (const session of [...this.#sessions.values()]) {
      const { view, self, direction } = session.facts
      if (direction === 'outgoing' && self !== undefined && view?.answered !== true) session.end()
    }
  }

  /** Leaves all calls. */
  leaveAll(): void {
    for (const session of [...this.#sessions.values()]) session.end()
  }

  async #enter(
    session: CallSession,
    signal: AbortSignal | undefined,
    request: () => Promise<Entered>,
    instead: () => CallSession | undefined = () => undefined,
  ): Promise<Call> {
    this.#entering++
    let answer: Promise<Entered> | undefined
    let kept = session
    try {
      await this.#context.assertEncrypts()
      const { media } = session.origin
      await session.local.start(media, { signal })
      session.assertOpen()
      const known = instead()
      if (known) {
        this.#dissolve(session, known)
        return await this.#goOn(known, media, signal)
      }
      answer = request()
      const entered = await abortable(answer, signal)
      if ('call' in entered) kept = this.#joined(session, entered)
      else this.#wait(session, entered.waiting, request)
    } catch (error) {
      // Nobody waits for the seat any more, should the server still give one.
      answer
        ?.then((entered) => this.#leave('call' in entered ? entered.call.id : entered.waiting.call))
        .catch(() => undefined)
      session.finish('failed')
      throw error
    } finally {
      this.#entering--
      if (this.#entering === 0) this.#early = []
    }
    // The app first gets the call in its first state, and time to listen.
    this.#context.environment.clock.after(0, () => kept.announce())
    return this.#callOf(kept)
  }

  /** Answers the session that is in the call: another one, where both sides called each other. */
  #joined(session: CallSession, { call, participant }: Joined): CallSession {
    this.others.forget(call.id)
    const known = this.#sessions.get(call.id)
    if (known && known !== session) {
      this.#dissolve(session, known)
      known.join(call, participant)
      return known
    }
    if (session.origin.id !== call.id) this.#sessions.delete(session.origin.id)
    session.join(call, participant)
    if (session.state === 'ended') return session
    this.#keep(session)
    this.#replay(session)
    return session
  }

  #wait(session: CallSession, lobby: Lobby, knock: () => Promise<Entered>): void {
    session.wait(lobby, knock)
    this.#keep(session)
    this.#replay(session)
  }

  /** What came before the answer that it belongs to. */
  #replay(session: CallSession): void {
    for (const { call, event } of this.#early) if (call === session.id) session.handle(event)
  }

  #leave(call: CallId): void {
    this.#context.request('call.hangup', { call }).catch(() => undefined)
  }

  /** Ends an attempt that has turned out to be a call that is known already. */
  #dissolve(attempt: CallSession, known: CallSession): void {
    known.local.adopt(attempt.local)
    attempt.finish('superseded')
  }

  /** Takes part in a call that is there already. */
  async #goOn(session: CallSession, media: CallMedia, signal?: AbortSignal): Promise<Call> {
    const call = this.#callOf(session)
    const options = signal ? { signal } : {}
    if (session.facts.self === undefined && call.direction === 'incoming') {
      await call.accept({ ...media, ...options })
    } else if (call.onHold) {
      await call.resume(options)
    }
    return call
  }

  /** The call with just this user, ringing or running. */
  #sessionWith(users: readonly string[], but?: CallSession): CallSession | undefined {
    const [user] = users
    if (user === undefined || users.length > 1) return undefined
    return [...this.#sessions.values()].find((session) => {
      const { view, self } = session.facts
      return session !== but && view && isOnlyWith(view, self, user)
    })
  }

  #isInCallBut(id: CallId): boolean {
    return [...this.#sessions.values()].some(
      (session) => session.id !== id && session.facts.self !== undefined,
    )
  }

  #onTransferred({ from, call, participant }: Transferred): void {
    const session = this.#sessions.get(from)
    if (!session) return
    this.#sessions.delete(from)
    session.transfer(call, participant)
    this.#keep(session)
  }

  #onIncoming({ call: view, from, media, offer, payload }: Incoming): void {
    const known = this.#sessions.get(view.id)
    if (known) {
      // Rung anew, after the server has lost the call.
      known.update(view)
      return
    }
    this.others.forget(view.id)
    const { id } = view
    const base = { id, direction: 'incoming', from, media, view } as const
    const origin: CallOrigin = { ...base, ...(offer && { offer }), ...(payload && { payload }) }
    const session = new CallSession(this.#context, origin)
    this.#keep(session)
    this.emit('incoming', this.#callOf(session))
  }

  #keep(session: CallSession): void {
    const { id } = session
    if (this.#sessions.has(id)) return
    this.#sessions.set(id, session)
    session.on('local', () => this.emit('kept'))
    const off = session.on('state', (state) => {
      this.emit('kept')
      if (state !== 'ended') return
      off()
      this.#sessions.delete(id)
      this.#calls.delete(session)
    })
  }

  #callOf(session: CallSession): Call {
    const call = this.#calls.get(session) ?? new Call(session)
    if (session.state !== 'ended') this.#calls.set(session, call)
    return call
  }
}

function callOf(event: ServerEvent): CallId | undefined {
  if (!('call' in event.data)) return undefined
  const { call } = event.data
  return typeof call === 'string' ? call : call.id
}
