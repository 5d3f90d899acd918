import { deviceKeyOf, generateDeviceKeyPair } from '../src/e2ee/identity/device-key.ts'
import { CallRoom, realClock } from './call-room.ts'
import type { Guest } from './call-room.ts'
import { seeded } from './group-walk.ts'

/** Who stays through all rounds, so that the call goes on. */
const HOST = 'host'
const RACERS = 5

/**
 * Five devices join or leave at the same moment, each round; answers with how long each took until
 * all who are in agree.
 */
export async function race({
  rounds,
  mostLagMs,
  seed,
  onRound = () => undefined,
}: {
  readonly rounds: number
  readonly mostLagMs: number
  readonly seed: number
  readonly onRound?: (round: number, ms: number) => void
}): Promise<readonly number[]> {
  const random = seeded(seed)
  const room = new CallRoom(realClock, () => random() * mostLagMs)
  const key = await deviceKeyOf(await generateDeviceKeyPair())
  const times: number[] = []
  const inside = new Map<number, Guest>()
  await room.enter(HOST, key)
  await room.settled()
  for (let round = 1; round <= rounds; round++) {
    const moves = Array.from({ length: RACERS }, async (_, racer) => {
      const guest = inside.get(racer)
      if (guest) {
        inside.delete(racer)
        room.leave(guest)
      } else if (round === 1 || random() < 0.7) {
        inside.set(racer, await room.enter(`racer-${racer}`, key))
      }
    })
    await Promise.all(moves)
    const ms = await room.settled()
    times.push(ms)
    onRound(round, ms)
  }
  for (const { session } of room.guests.values()) session.close()
  return times
}
