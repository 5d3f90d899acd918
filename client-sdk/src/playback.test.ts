import { describe, expect, it } from 'vitest'
import { Playback } from './playback.ts'
import { settle } from './testing.ts'

describe('playback', () => {
  it('lets one element play the voice and the picture of a person', () => {
    const { playback, element } = make()
    playback.show(element, track('audio', 'a'))
    playback.show(element, track('video', 'v'))
    expect(names(element)).toEqual(['a', 'v'])
  })

  it('takes the old track out before the new one goes in, as Firefox needs it', () => {
    const { playback, element, log } = make()
    playback.show(element, track('video', 'old'))
    playback.show(element, track('video', 'new'))
    expect(log).toEqual(['add old', 'remove old', 'add new'])
    expect(names(element)).toEqual(['new'])
  })

  it('lets go of an element that shows nothing any more', () => {
    const { playback, element } = make()
    const only = track('video', 'v')
    playback.show(element, only)
    playback.hide(element, only)
    expect(element.srcObject).toBeNull()
  })

  it('tells when the browser wants a gesture, and plays in one', async () => {
    const { playback, element, allow } = make(false)
    let blocked = 0
    playback.on('blocked', () => blocked++)
    playback.show(element, track('audio', 'a'))
    await settle()
    expect(blocked).toBe(1)
    allow()
    await playback.resume()
    expect(blocked).toBe(1)
  })
})

function make(allowed = true) {
  const log: string[] = []
  let plays = allowed
  const element = {
    srcObject: null,
    play: () =>
      plays
        ? Promise.resolve()
        : Promise.reject(Object.assign(new Error('blocked'), { name: 'NotAllowedError' })),
  } as unknown as HTMLVideoElement
  const playback = new Playback({
    createStream: () => new FakeStream(log) as unknown as MediaStream,
    tiles: { watch: () => () => undefined },
  })
  return { playback, element, log, allow: () => (plays = true) }
}

class FakeStream {
  readonly #log: string[]
  #tracks: readonly MediaStreamTrack[] = []

  constructor(log: string[]) {
    this.#log = log
  }

  getTracks = () => [...this.#tracks]

  addTrack(added: MediaStreamTrack): void {
    this.#log.push(`add ${added.id}`)
    this.#tracks = [...this.#tracks, added]
  }

  removeTrack(removed: MediaStreamTrack): void {
    this.#log.push(`remove ${removed.id}`)
    this.#tracks = this.#tracks.filter((other) => other !== removed)
  }
}

function track(kind: 'audio' | 'video', id: string): MediaStreamTrack {
  return { kind, id } as MediaStreamTrack
}

function names(element: HTMLMediaElement): readonly string[] {
  return (element.srcObject as MediaStream).getTracks().map(({ id }) => id)
}
