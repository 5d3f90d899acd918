import { deviceKeyOf, generateDeviceKeyPair } from '../src/e2ee/identity/device-key.ts'
import { CallRoom, realClock } from './call-room.ts'
import type { Guest } from './call-room.ts'
import { seeded } from './group-walk.ts'

/** Who stays through all rounds, so that the call goes on. */
const HOST = 'host'
const RACERS = 5

/**
 * Five devices join or leave at the same moment, each round; answers with how long each took until
 * all who are in agree. Where the way is `lossy`, some of what the server tells comes not, twice or out
 * of turn, until all look after what they have missed.
 */
export async function race({
  rounds,
  mostLagMs,
  seed,
  lossy = false,
  onRound = () => undefined,
}: {
  readonly rounds: number
  readonly mostLagMs: number
  readonly seed: number
  readonly lossy?: boolean
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
    if (lossy) await misdeliver(room, random)
    const ms = await room.settled()
    times.push(ms)
    onRound(round, ms)
  }
  for (const { session } of room.guests.values()) session.close()
  return times
}

/** How long things go wrong, at most, before everybody looks after them. */
const LOSSY_MS = 1_000

/** Loses, doubles and hastens what the server tells, and then has everybody ask for what was missed. */
async function misdeliver(room: CallRoom, random: () => number): Promise<void> {
  room.tamper = (event, to) => {
    const roll = random()
    if (roll < 0.2) return undefined
    // Before all that is on its way, and then once more in its turn.
    if (roll < 0.4) to.session.handle(event)
    return event
  }
  await new Promise<void>((resolve) => void realClock.after(random() * LOSSY_MS, resolve))
  room.tamper = (event) => event
  for (const { session } of room.guests.values()) session.resync()
}
