import type { CallView, ParticipantId } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PathProtection } from './core/frames/call-protection.ts'
import type { StreamKey } from './core/media-plan.ts'
import type { PeerSession } from './p2p/session.ts'
import { MediaPaths } from './paths.ts'
import type { PathState } from './core/path-state.ts'
import type { PathListener, RemoteStream } from './ports.ts'
import type { SfuSession } from './sfu/session.ts'
import { ManualClock } from './testing.ts'

let clock: ManualClock
let direct: FakeSession[]
let nodes: Map<number, FakeSession>
let paths: MediaPaths
let shown: ReadonlyMap<StreamKey, RemoteStream>
let ready: number[]

beforeEach(() => {
  clock = new ManualClock()
  direct = []
  nodes = new Map()
  shown = new Map()
  ready = []
  paths = new MediaPaths(id('me'), two(), maker(), clock)
  paths.on('streams', (streams) => (shown = streams))
  paths.on('ready', (epoch) => ready.push(epoch))
})

describe('the switch from direct to a node', () => {
  it('keeps the old picture until the new one has decoded, then ends the old path', async () => {
    paths.update(two())
    const old = direct[0]
    old?.deliver('you/camera')
    expect(from('you/camera')).toBe(old)

    paths.update(three({ path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } }))
    const fresh = nodes.get(1)
    fresh?.deliver('you/camera', 'carol/camera')
    expect(from('you/camera')).toBe(old)
    expect(from('carol/camera')).toBe(fresh)
    await clock.advance(1_000)
    expect(ready).toEqual([])

    fresh?.decode('you/camera')
    await clock.advance(1_000)
    expect(ready).toEqual([1])

    paths.update(three({ path: 'sfu', epoch: 1 }))
    expect(from('you/camera')).toBe(fresh)
    expect(old?.closed).toBe(false)
    await clock.advance(2_000)
    expect(old?.closed).toBe(true)
    expect(paths.state).toBe('connected')
  })

  it('shows the old picture still when the switch is forced before the new one decodes', async () => {
    paths.update(two())
    direct[0]?.deliver('you/camera')
    paths.update(three({ path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } }))
    nodes.get(1)?.deliver('you/camera')
    paths.update(three({ path: 'sfu', epoch: 1 }))
    expect(from('you/camera')).toBe(direct[0])
    await clock.advance(16_000)
    expect(direct[0]?.closed).toBe(true)
    expect(from('you/camera')).toBe(nodes.get(1))
  })

  it('goes on directly when the switch is rolled back', () => {
    paths.update(two())
    direct[0]?.deliver('you/camera')
    paths.update(two({ path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } }))
    paths.update(two({ path: 'p2p', epoch: 1 }))
    expect(nodes.get(1)?.closed).toBe(true)
    expect(direct).toHaveLength(1)
    expect(direct[0]?.closed).toBe(false)
  })

  it('tells once that it is ready, and at once where there is nothing to wait for', async () => {
    paths.update(three({ path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } }))
    await clock.advance(1_000)
    expect(ready).toEqual([1])
  })

  it('is connected by the path that warms up for who has no other', () => {
    paths.update(three({ path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } }))
    expect([paths.state, paths.kind]).toEqual(['connected', 'sfu'])
  })
})

describe('a switch whose server dies in the middle', () => {
  it('leaves nobody with a frozen picture where only the other side has heard of its end', async () => {
    paths.update(two())
    direct[0]?.deliver('you/camera')
    paths.update(two({ path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } }))
    nodes.get(1)?.deliver('you/camera')
    nodes.get(1)?.decode('you/camera')
    await clock.advance(1_000)
    expect(from('you/camera')).toBe(direct[0])
    direct[0]?.letGoOf()
    expect(from('you/camera')).toBe(nodes.get(1))
    expect(paths.state).toBe('connected')
  })

  it('keeps the old path for as long as another server may take, where the new one gives nothing', async () => {
    paths.update(two())
    direct[0]?.deliver('you/camera')
    paths.update(two({ path: 'sfu', epoch: 1 }))
    await clock.advance(10_000)
    expect(from('you/camera')).toBe(direct[0])
    expect(direct[0]?.closed).toBe(false)
  })
})

describe('the way back from a node', () => {
  const back = { path: 'sfu', epoch: 1, next: { path: 'p2p', epoch: 2 } }

  it('keeps the picture of the node until the direct one has decoded', async () => {
    paths.update(two({ path: 'sfu', epoch: 1 }))
    const node = nodes.get(1)
    node?.deliver('you/camera')
    paths.update(two(back))
    direct[0]?.deliver('you/camera')
    await clock.advance(1_000)
    expect([from('you/camera'), ready]).toEqual([node, []])
    direct[0]?.decode('you/camera')
    await clock.advance(1_000)
    expect([from('you/camera'), ready]).toEqual([node, [2]])

    paths.update(two({ path: 'p2p', epoch: 2 }))
    expect(from('you/camera')).toBe(direct[0])
    expect([paths.state, paths.kind]).toEqual(['connected', 'p2p'])
    await clock.advance(2_000)
    expect(node?.closed).toBe(true)
    expect(direct[0]?.closed).toBe(false)
  })

  it('goes on through the node where it comes to nothing', async () => {
    paths.update(two({ path: 'sfu', epoch: 1 }))
    nodes.get(1)?.deliver('you/camera')
    paths.update(two(back))
    await clock.advance(1_000)
    paths.update(two({ path: 'sfu', epoch: 1 }))
    expect(from('you/camera')).toBe(nodes.get(1))
    expect([direct[0]?.closed, nodes.get(1)?.closed]).toEqual([true, false])
  })

  it('begins with a fresh direct path, however short ago the last one was', async () => {
    paths.update(two())
    direct[0]?.deliver('you/camera')
    paths.update(two({ path: 'sfu', epoch: 1 }))
    paths.update(two(back))
    expect(direct.map(({ closed }) => closed)).toEqual([true, false])
    await clock.advance(0)
  })

  it('does not wait for pictures that nobody sends to whoever holds the call', async () => {
    paths.update(two({ path: 'sfu', epoch: 1 }))
    nodes.get(1)?.deliver('you/camera')
    paths.hold(true)
    paths.update(two(back))
    await clock.advance(1_000)
    expect(ready).toEqual([2])
  })
})

describe('a node that is lost', () => {
  it('gives way to the next, whose pictures take the place of the frozen ones', async () => {
    paths.update(two({ path: 'sfu', epoch: 1 }))
    const dead = nodes.get(1)
    dead?.deliver('you/camera')
    dead?.break()
    expect(paths.state).toBe('interrupted')
    paths.update(two({ path: 'sfu', epoch: 1, next: { path: 'sfu', epoch: 2 } }))
    await clock.advance(1_000)
    expect(ready).toEqual([2])
    nodes.get(2)?.deliver('you/camera')
    nodes.get(2)?.decode('you/camera')
    paths.update(two({ path: 'sfu', epoch: 2 }))
    await clock.advance(6_000)
    expect(from('you/camera')).toBe(nodes.get(2))
    expect(dead?.closed).toBe(true)
    expect(paths.state).toBe('connected')
  })
})

describe('direct paths', () => {
  it('begins anew with somebody else', () => {
    paths.update(two())
    paths.update(view(['me', 'carol']))
    expect(direct.map(({ closed }) => closed)).toEqual([true, false])
  })

  it('hands on signals that came before the path', () => {
    paths.signal(id('you'), { candidate: null })
    paths.update(two())
    expect(direct[0]?.signals).toEqual([{ candidate: null }])
  })

  it('closes everything with the call, and opens nothing after', () => {
    paths.update(two())
    paths.close()
    paths.update(two({ path: 'sfu', epoch: 1 }))
    expect(direct[0]?.closed).toBe(true)
    expect(nodes.size).toBe(0)
  })
})

/** A path that delivers and decodes what the test says. */
class FakeSession {
  state: PathState = 'connected'
  streams: ReadonlyMap<StreamKey, RemoteStream> = new Map()
  readonly publishing = true
  protection: PathProtection = 'plain'
  readonly signals: unknown[] = []
  closed = false
  letGo = false
  #decoded = new Set<StreamKey>()
  readonly #listener: PathListener

  constructor(listener: PathListener) {
    this.#listener = listener
  }

  deliver(...keys: readonly StreamKey[]): void {
    const streams = keys.map((key) => {
      const [participant, source] = key.split('/')
      return [key, { participant, source, track: this }] as const
    })
    this.streams = new Map(streams as unknown as [StreamKey, RemoteStream][])
    this.#listener.changed()
  }

  decode(key: StreamKey): void {
    this.#decoded = new Set([...this.#decoded, key])
  }

  /** The other side ends the path. */
  letGoOf(): void {
    this.letGo = true
    this.#listener.changed()
  }

  break(): void {
    this.state = 'interrupted'
    this.#listener.changed()
  }

  decoded = () => Promise.resolve(this.#decoded)
  reports = () => Promise.resolve([])
  publish = () => undefined
  receive = () => undefined
  show = () => undefined
  resync = () => undefined
  signal = (signal: unknown) => this.signals.push(signal)
  close = () => (this.closed = true)
}

function maker() {
  return {
    direct: (_peer: ParticipantId, _view: CallView, listener: PathListener) => {
      const session = new FakeSession(listener)
      direct.push(session)
      return session as unknown as PeerSession
    },
    throughNode: (epoch: number, listener: PathListener) => {
      const session = new FakeSession(listener)
      nodes.set(epoch, session)
      return session as unknown as SfuSession
    },
    close: () => undefined,
  }
}

/** The path that a stream is shown from. */
function from(key: StreamKey): unknown {
  return shown.get(key)?.track
}

function two(topology: object = {}): CallView {
  return view(['me', 'you'], topology)
}

function three(topology: object): CallView {
  return view(['you', 'me', 'carol'], topology)
}

function view(people: readonly string[], topology: object = {}): CallView {
  return {
    id: 'c',
    startedBy: 'me',
    answered: true,
    participants: people.map((name) => ({
      id: name,
      user: name,
      device: name,
      connected: true,
      onHold: false,
      sending: { microphone: true, camera: true, screen: false },
      publications: [],
    })),
    invites: [],
    topology: { path: 'p2p', epoch: 0, ...topology },
  } as unknown as CallView
}

function id(text: string): ParticipantId {
  return text as ParticipantId
}
