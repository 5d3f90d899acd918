import type { WireError } from '@parley/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Clock, Link } from '../src/ports.ts'
import { Signaling } from '../src/signaling.ts'
import { socketIoLink } from '../src/socketio/link.ts'
import { countingRandom, ManualClock } from '../src/testing.ts'
import { startSignalingProcess } from './signaling-process.ts'

const PATIENCE = { timeout: 45_000, interval: 50 }

const realClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

let server: Awaited<ReturnType<typeof startSignalingProcess>>
// Each time anew: the door remembers to whom it has given which time.
beforeEach(async () => {
  // Two at once, then one a second.
  server = await startSignalingProcess({ PARLEY_HANDSHAKES_PER_SECOND: '1' })
})
afterEach(() => server.stop())

test('[BUSY-1] who is refused comes back at the time that the server told him, and not before', async () => {
  const crowd = await crowdOf(16, () => new ManualClock())
  for (const { signaling } of crowd) signaling.connect()
  await vi.waitFor(() => expect(crowd.every(settled)).toBe(true), PATIENCE)
  const refused = crowd.filter(({ refusals }) => refusals.length > 0)
  expect(refused.length).toBeGreaterThan(1)
  const waits = new Set(refused.map(({ refusals }) => refusals[0]?.retryAfterMs))
  expect(waits.size).toBeGreaterThan(1)

  for (const { refusals, clock, attempts } of refused) {
    const [error] = refusals
    expect(error).toMatchObject({ code: 'too-busy', retryable: true })
    const told = Number(error?.retryAfterMs)
    await clock.advance(told - 1)
    expect(attempts()).toBe(1)
    await clock.advance(1)
    expect(attempts()).toBe(2)
  }
  for (const { signaling } of crowd) signaling.close()
})

test('[BUSY-1] in the end all of a crowd are let in', async () => {
  const crowd = await crowdOf(5, () => realClock)
  for (const { signaling } of crowd) signaling.connect()
  const states = () => crowd.map(({ signaling }) => signaling.state)
  await vi.waitFor(() => expect(states()).toEqual(crowd.map(() => 'connected')), PATIENCE)
  for (const { signaling } of crowd) signaling.close()
})

interface Member<C extends Clock> {
  readonly signaling: Signaling
  readonly clock: C
  readonly refusals: readonly WireError[]
  readonly attempts: () => number
}

/** Let in, or refused once. */
function settled({ signaling, refusals }: Member<Clock>): boolean {
  return signaling.state === 'connected' || refusals.length > 0
}

function crowdOf<C extends Clock>(size: number, makeClock: () => C): Promise<Member<C>[]> {
  return Promise.all(
    Array.from({ length: size }, async (_, i) => {
      const token = await server.token(`person-${i}`)
      const clock = makeClock()
      const refusals: WireError[] = []
      let attempts = 0
      const real = socketIoLink()
      const link: Link = {
        open(url, auth, listener) {
          attempts++
          return real.open(url, auth, {
            event: (frame) => listener.event(frame),
            lost: () => listener.lost(),
            refused(error) {
              if (error) refusals.push(error)
              listener.refused(error)
            },
          })
        },
      }
      const signaling = new Signaling({
        ...{ clock, link, url: server.url, device: `device-${i}` },
        random: countingRandom(),
        token: () => token,
        recall: () => Promise.resolve(undefined),
      })
      return { signaling, clock, refusals, attempts: () => attempts }
    }),
  )
}
