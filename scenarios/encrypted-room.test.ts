import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { chiSquare, likeness, overhear, pictureOf, toneLevel } from './lab/eavesdropper.ts'
import type { Overheard } from './lab/eavesdropper.ts'
import { openLab, without } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

const CHROMIUM = 0
const FIREFOX = 1
const TONES_HZ = [440, 660]
/** Four people who encode and decode each other, three of them in layers. */
const LONG = { timeout: 240_000 }

let lab: Lab
const arrived: Caller[] = []

beforeAll(async () => {
  // The Opus decoder writes a line for each frame that it cannot read.
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  lab = await openLab(['chromium', 'firefox'], { tap: true })
})
afterEach(async () => {
  for (const one of arrived.splice(0)) await one.close()
})
afterAll(() => lab.close())

test('who runs the node hears no tone and sees no picture, in any codec', LONG, async () => {
  const people = await gather('sealed')
  await meet(people)
  for (const one of people) await one.sees('encryption', ({ encrypted }) => encrypted)
  const camera = (await people[0]?.ownPictures()) ?? []
  const streams = overhear(lab.parley.tapped)
  expect(kindsOf(streams)).toEqual(['audio/opus', 'video/H264', 'video/VP8', 'video/VP9'])
  for (const { mimeType, frames } of streams) {
    if (mimeType !== 'audio/opus') continue
    for (const tone of TONES_HZ) expect(await toneLevel(frames, tone)).toBeLessThan(-10)
  }
  for (const stream of streams) {
    if (stream.mimeType === 'audio/opus') continue
    const picture = people[0] && (await pictureOf(people[0], stream))
    expect(likeness(camera, picture)).toBeLessThan(0.3)
  }
  // Nothing but noise behind what the node must read: no layer, and no frame, is left out.
  const vp8 = streams.filter(({ mimeType }) => mimeType === 'video/VP8')
  const sealed = vp8.flatMap(({ frames }) => frames.map((frame) => frame.subarray(20, -3)))
  const noise = Buffer.concat(sealed).subarray(0, 200_000)
  expect(noise.length).toBeGreaterThan(64_000)
  expect(chiSquare(noise)).toBeLessThan(340)
})

test(
  'with encryption left out it hears and sees all of it, so the test above means something',
  LONG,
  async () => {
    // Of those who met before, a last packet may come late.
    const earlier = new Set(lab.parley.tapped.map(({ producer }) => producer))
    const overheard = () =>
      overhear(lab.parley.tapped.filter(({ producer }) => !earlier.has(producer)))
    const people = await gather('open', { encryption: 'off' })
    await meet(people)
    for (const one of people) expect((await one.look()).encrypted).toBe(false)
    const camera = (await people[0]?.ownPictures()) ?? []
    expect(kindsOf(overheard())).toEqual(['audio/opus', 'video/H264', 'video/VP8', 'video/VP9'])
    // What came before the tones and the whole pictures passes out of what is looked at.
    await until(
      'each tone is overheard',
      () => tonesOf(overheard()),
      (tones) => tones.join() === [440, 440, 440, 660].join(),
    )
    for (const mimeType of ['video/H264', 'video/VP8', 'video/VP9']) {
      await until(
        `a picture of ${mimeType} is seen`,
        () => {
          const streams = overheard().filter((stream) => stream.mimeType === mimeType)
          return Promise.all(
            streams.map(async (stream) =>
              likeness(camera, people[0] && (await pictureOf(people[0], stream))),
            ),
          )
        },
        (likest) => Math.max(...likest) > 0.6,
      )
    }
  },
)

/** The tone of each audio stream, lower ones first; 0 for one in which none stands out. */
async function tonesOf(streams: readonly Overheard[]): Promise<readonly number[]> {
  const audio = streams.filter(({ mimeType }) => mimeType === 'audio/opus')
  const tones = await Promise.all(
    audio.map(async ({ frames }) => {
      for (const tone of TONES_HZ) if ((await toneLevel(frames, tone)) > -1) return tone
      return 0
    }),
  )
  return tones.toSorted((a, b) => a - b)
}

/** Each of the Chromiums sends another codec. */
async function gather(
  room: string,
  options: object = { encryption: 'required' },
): Promise<Caller[]> {
  const people = [
    await lab.arrive(CHROMIUM, 'alice', { ...options, videoCodec: 'vp8' }),
    await lab.arrive(CHROMIUM, 'bob', { ...options, videoCodec: 'vp9' }),
    await lab.arrive(CHROMIUM, 'carol', { ...options, videoCodec: 'h264' }),
    await lab.arrive(FIREFOX, 'dave', options),
  ]
  arrived.push(...people)
  for (const one of people) await one.do('join', room)
  return people
}

/** All see and hear all; Firefox has no H264 here. */
async function meet(people: readonly Caller[]): Promise<void> {
  for (const one of people) {
    const others = without(people, one)
    const visible = others.filter(({ user }) => one.user !== 'dave' || user !== 'carol')
    await watches(one, visible)
    await hears(one, others)
  }
}

function kindsOf(streams: readonly { readonly mimeType: string }[]): string[] {
  return [...new Set(streams.map(({ mimeType }) => mimeType))].sort()
}
