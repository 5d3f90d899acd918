import type {
  CallId,
  CallMedia,
  CallView,
  ClientRequestResult,
  RoomName,
  ServerEvent,
  UserId,
  Welcome,
} from '@parley/protocol'
import { CallSession } from './call-session.ts'
import type { CallContext, CallOrigin } from './call-session.ts'
import { Call } from './call.ts'
import { Emitter } from './emitter.ts'
import { abortable } from './errors.ts'

interface CallBookEvents {
  incoming: [call: Call]
}

/** An answer to `call.start`, `call.accept` or `room.join`. */
type Joined = ClientRequestResult<'room.join'>

/** Events of calls that are not known yet, at most: they wait for the answer to a join. */
const MOST_EARLY = 100

/** The calls of a client: starts them, and hands each what the server tells of it. */
export class CallBook extends Emitter<CallBookEvents> {
  readonly #context: CallContext
  readonly #sessions = new Map<CallId, CallSession>()
  readonly #calls = new Map<CallSession, Call>()
  #entering = 0
  #early: readonly { call: CallId; event: ServerEvent }[] = []

  constructor(context: CallContext) {
    super()
    this.#context = context
  }

  /** The calls that have not ended. */
  get calls(): readonly Call[] {
    return [...this.#sessions.values()].flatMap((session) => this.#calls.get(session) ?? [])
  }

  start(users: readonly string[], media: CallMedia, signal?: AbortSignal): Promise<Call> {
    const { random } = this.#context.environment
    // A fresh random id is one of the right kind.
    const id = random.id() as CallId
    const session = new CallSession(this.#context, { id, direction: 'outgoing', media })
    this.#keep(session)
    return this.#enter(session, signal, () =>
      this.#context.request('call.start', {
        call: id,
        // The server checks the names.
        users: [...users] as UserId[],
        media,
      }),
    )
  }

  join(room: string, media: CallMedia, signal?: AbortSignal): Promise<Call> {
    const { request, topology, environment } = this.#context
    // Which call the room is, the answer says.
    const id = environment.random.id() as CallId
    const session = new CallSession(this.#context, { id, direction: 'room', media })
    // The server checks the name.
    const data = { room: room as RoomName, media, topology }
    return this.#enter(session, signal, () => request('room.join', data))
  }

  /** Takes in an event, if it is one of a call. */
  handle(event: ServerEvent): void {
    if (event.type === 'call.incoming') {
      this.#onIncoming(event.data)
      return
    }
    const id = callOf(event)
    if (id === undefined) return
    const session = this.#sessions.get(id)
    if (session) session.handle(event)
    else if (this.#entering > 0)
      this.#early = [...this.#early, { call: id, event }].slice(-MOST_EARLY)
  }

  /** After a connection: what became of the calls meanwhile. */
  resume({ resumed, calls }: Pick<Welcome, 'resumed' | 'calls'>): void {
    if (resumed === 'replayed') return
    const views = new Map(calls.map((view) => [view.id, view]))
    for (const session of [...this.#sessions.values()]) {
      const view = views.get(session.id)
      if (session.isEntering) continue
      if (view) session.resync(view)
      else session.finish('failed')
    }
  }

  /** Leaves all calls. */
  leaveAll(): void {
    for (const session of [...this.#sessions.values()]) session.end()
  }

  async #enter(
    session: CallSession,
    signal: AbortSignal | undefined,
    request: () => Promise<Joined>,
  ): Promise<Call> {
    this.#entering++
    let answer: Promise<Joined> | undefined
    try {
      await session.local.start(session.origin.media, { signal })
      session.assertOpen()
      answer = request()
      const joined = await abortable(answer, signal)
      this.#joined(session, joined)
    } catch (error) {
      // Nobody waits for the seat any more, should the server still give one.
      answer
        ?.then(({ call }) => this.#context.request('call.hangup', { call: call.id }))
        .catch(() => undefined)
      session.finish('failed')
      throw error
    } finally {
      this.#entering--
      if (this.#entering === 0) this.#early = []
    }
    // The app first gets the call in its first state, and time to listen.
    this.#context.environment.clock.after(0, () => session.announce())
    return this.#callOf(session)
  }

  #joined(session: CallSession, { call, participant }: Joined): void {
    session.join(call, participant)
    if (session.state === 'ended') return
    this.#keep(session)
    for (const { call: id, event } of this.#early) if (id === call.id) session.handle(event)
  }

  #onIncoming({
    call: view,
    from,
    media,
  }: {
    call: CallView
    from: UserId
    media: CallMedia
  }): void {
    if (this.#sessions.has(view.id)) return
    const origin: CallOrigin = { id: view.id, direction: 'incoming', from, media, view }
    const session = new CallSession(this.#context, origin)
    this.#keep(session)
    this.emit('incoming', this.#callOf(session))
  }

  #keep(session: CallSession): void {
    const { id } = session
    if (this.#sessions.has(id)) return
    this.#sessions.set(id, session)
    const off = session.on('state', (state) => {
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
