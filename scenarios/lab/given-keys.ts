import type { Caller } from './caller.ts'

/** Gives the keys of an epoch to people in a room, each a leaf in the order of `members`. */
export async function giveKeys(
  people: readonly Caller[],
  {
    epoch,
    members = people,
    cause = 'join',
  }: { epoch: number; members?: readonly Caller[]; cause?: 'join' | 'leave' },
): Promise<void> {
  const leaves: [string, number][] = []
  for (const [leaf, one] of members.entries()) {
    const { self } = await one.sees('its seat', (sight) => sight.self !== undefined)
    leaves.push([self ?? '', leaf])
  }
  for (const one of people) {
    await one.sees('the SFU', ({ path }) => path === 'sfu')
    const ownLeaf = members.indexOf(one)
    await one.do('beginEpoch', { epoch, secret: 'given by the story', ownLeaf, leaves, cause })
  }
}
