import type { CallView, ParticipantId } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseStreams, isPolite, isReady, wantedPaths, wantedStreams } from './media-plan.ts'
import type { PathRole, PathStreams, StreamKey } from './media-plan.ts'

const me = id('me')
const you = id('you')

describe('wanted paths', () => {
  it('is direct for two', () => {
    expect(wantedPaths(view(['me', 'you']), me)).toEqual({
      active: { kind: 'p2p', peer: you },
      warm: undefined,
    })
  })

  it('is nothing for one', () => {
    expect(wantedPaths(view(['me']), me).active).toBeUndefined()
  })

  it('keeps two talking while a third waits for the node', () => {
    const three = view(['me', 'you', 'carol'], { next: { path: 'sfu', epoch: 1 } })
    expect(wantedPaths(three, me, { peer: you })).toEqual({
      active: { kind: 'p2p', peer: you },
      warm: { kind: 'sfu', epoch: 1 },
    })
    expect(wantedPaths(three, id('carol'))).toEqual({
      active: undefined,
      warm: { kind: 'sfu', epoch: 1 },
    })
  })

  it('warms up a new node beside one that was lost', () => {
    const lost = view(['me', 'you'], { path: 'sfu', epoch: 1, next: { path: 'sfu', epoch: 2 } })
    expect(wantedPaths(lost, me)).toEqual({
      active: { kind: 'sfu', epoch: 1 },
      warm: { kind: 'sfu', epoch: 2 },
    })
  })

  it('warms up a direct path for two who are left', () => {
    const topology = { path: 'sfu', epoch: 1, next: { path: 'p2p', epoch: 2 } }
    expect(wantedPaths(view(['me', 'you'], topology), me)).toEqual({
      active: { kind: 'sfu', epoch: 1 },
      warm: { kind: 'p2p', peer: you },
    })
    expect(wantedPaths(view(['me', 'you'], topology), me, { nodesOnly: true }).warm).toBeUndefined()
  })

  it('is never direct where the app forbids it', () => {
    const next = { path: 'sfu', epoch: 1 }
    const wanted = wantedPaths(view(['me', 'you'], { next }), me, { nodesOnly: true })
    expect(wanted).toEqual({ active: undefined, warm: { kind: 'sfu', epoch: 1 } })
  })

  it('makes exactly one of two polite', () => {
    const two = view(['me', 'you'])
    expect([isPolite(two, me, you), isPolite(two, you, me)]).toEqual([false, true])
  })
})

describe('wanted streams', () => {
  it('is what others publish on this node, and not what is left of another', () => {
    const three = view(['me', 'you'], { path: 'sfu', epoch: 2 }, [
      publication('old', 'microphone', 1),
      publication('new', 'microphone', 2),
    ])
    expect(wantedStreams(three, me, 2).map(({ producer }) => producer)).toEqual(['new'])
    expect(wantedStreams(three, you, 2).map(({ participant }) => participant)).toEqual(['me'])
  })
})

describe('the choice of streams', () => {
  it('shows the old path until the new one decodes', () => {
    const old = path('draining', ['you/camera'], [])
    const fresh = path('active', ['you/camera'], [])
    expect(chooseStreams([old, fresh]).get('you/camera')).toBe(old)
    const decoded = path('active', ['you/camera'], ['you/camera'])
    expect(chooseStreams([old, decoded]).get('you/camera')).toBe(decoded)
  })

  it('shows a path that warms up only to who has no other', () => {
    const active = path('active', ['you/camera'], [])
    const warm = path('warm', ['you/camera', 'carol/camera'], ['you/camera', 'carol/camera'])
    const chosen = chooseStreams([active, warm])
    expect(chosen.get('you/camera')).toBe(active)
    expect(chosen.get('carol/camera')).toBe(warm)
  })

  it('goes over to the path that warms up where the one in use is dead', () => {
    const dead = path('active', ['you/camera', 'you/screen'], [], false)
    const warm = path('warm', ['you/camera', 'you/screen'], ['you/camera'])
    const chosen = chooseStreams([dead, warm])
    expect(chosen.get('you/camera')).toBe(warm)
    expect(chosen.get('you/screen')).toBe(dead)
  })

  it('leaves out no stream that any path has, in whatever order they come', () => {
    const keys = fc.subarray<StreamKey>(['a/camera', 'b/camera', 'b/screen'])
    const paths = fc.array(
      fc.tuple(fc.constantFrom<PathRole>('active', 'warm', 'draining'), keys, keys),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(paths, (specs) => {
        const all = specs.map(([role, streams, decoded]) => path(role, streams, decoded))
        const chosen = chooseStreams(all)
        expect(new Set(chosen.keys())).toEqual(new Set(all.flatMap((p) => [...p.streams])))
        for (const [key, from] of chosen) expect([...from.streams]).toContain(key)
      }),
    )
  })
})

describe('readiness', () => {
  const expected = { received: ['you/camera'] as StreamKey[], hidden: new Set<StreamKey>() }

  it('waits until what is received now is decoded on the new path', () => {
    const waiting = view(['me', 'you'], {}, [publication('p', 'camera', 1)])
    const ready = { ...expected, view: waiting, epoch: 1 }
    expect(isReady({ ...ready, decoded: new Set() })).toBe(false)
    expect(isReady({ ...ready, decoded: new Set(['you/camera']) })).toBe(true)
  })

  it('waits for a publication that has not come yet', () => {
    const none = { ...expected, view: view(['me', 'you']), epoch: 1, decoded: new Set<StreamKey>() }
    expect(isReady(none)).toBe(false)
  })

  it('waits neither for the muted, nor the hidden, nor those who left', () => {
    const base = { ...expected, epoch: 1, decoded: new Set<StreamKey>() }
    const muted = view(['me', 'you'], {}, [{ ...publication('p', 'camera', 1), paused: true }])
    expect(isReady({ ...base, view: muted })).toBe(true)
    expect(isReady({ ...base, view: view(['me']) })).toBe(true)
    const hidden = new Set<StreamKey>(['you/camera'])
    expect(isReady({ ...base, view: view(['me', 'you']), hidden })).toBe(true)
  })
})

function id(text: string): ParticipantId {
  return text as ParticipantId
}

function path(
  role: PathRole,
  streams: readonly StreamKey[],
  decoded: readonly StreamKey[],
  alive = true,
): PathStreams {
  return { role, streams, decoded: new Set(decoded), alive }
}

function publication(producer: string, source: string, epoch: number) {
  const kind = source === 'microphone' ? 'audio' : 'video'
  return { producer, source, kind, paused: false, epoch }
}

function view(
  people: readonly string[],
  topology: object = {},
  publications: readonly object[] = [],
): CallView {
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
      publications,
    })),
    invites: [],
    topology: { path: 'p2p', epoch: 0, ...topology },
  } as unknown as CallView
}
