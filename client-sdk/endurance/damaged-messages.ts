import fc from 'fast-check'
import { GroupError } from '../src/e2ee/group-key-agreement.ts'
import { toText } from '../src/e2ee/octets.ts'
import { agreementOf, change, founder } from './group-walk.ts'

/** What becomes of sound bytes on their way through somebody's hands. */
export type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'stretch'; readonly at: number; readonly by: Uint8Array }
  | { readonly kind: 'replace'; readonly by: Uint8Array }

const place = fc.noBias(fc.nat(100_000))
export const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('flip'), at: place, bit: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut'), at: place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stretch'),
      at: place,
      by: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace'), by: fc.uint8Array() }) },
)

/**
 * Hands damaged offers, welcomes, commits, messages and public states of a group to those who read
 * them. Throws when one is taken, changes a group, or fails in any other way than the documented one.
 */
export async function readDamaged(runs: number, seed?: number): Promise<void> {
  const alice = await founder('alice')
  const [, bob] = await change([alice], alice, { come: ['bob'] })
  const carol = await agreementOf('carol')
  const offer = await carol.offer()
  if (!bob) throw new Error('nobody came')
  const added = await alice.group.prepare({ add: [offer], remove: [] })
  const { sealed } = await alice.group.seal(new Uint8Array([1, 2, 3]))
  const before = toText(bob.group.authenticator)
  const { commit, welcome, groupInfo } = added
  if (!welcome) throw new Error('no welcome')
  const readers: readonly (readonly [Uint8Array, (bytes: Uint8Array) => Promise<unknown>])[] = [
    [commit, (bytes) => bob.group.process(bytes)],
    [sealed, (bytes) => bob.group.open(bytes)],
    [welcome, (bytes) => carol.enter(bytes, groupInfo)],
    [groupInfo, async (bytes) => (await agreementOf('dave')).enterUninvited(bytes)],
    [offer, (bytes) => bob.group.prepare({ add: [bytes], remove: [] })],
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...readers), damage, async ([sound, read], how) => {
      const bytes = damaged(sound, how)
      if (toText(bytes) === toText(sound)) return
      const refused = await read(bytes).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (!(refused instanceof GroupError))
        throw new Error('taken, or not refused properly', { cause: refused })
      if (toText(bob.group.authenticator) !== before) throw new Error('a group has changed')
    }),
    { numRuns: runs, ...(seed !== undefined && { seed }) },
  )
  // All of them were sound before.
  for (const [sound, read] of readers) await read(sound)
}

export function damaged(sound: Uint8Array, how: Damage): Uint8Array {
  switch (how.kind) {
    case 'flip': {
      const bytes = sound.slice()
      const at = how.at % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ (1 << how.bit)
      return bytes
    }
    case 'cut':
      return sound.slice(0, how.at % sound.length)
    case 'stretch': {
      const at = how.at % (sound.length + 1)
      return new Uint8Array([...sound.subarray(0, at), ...how.by, ...sound.subarray(at)])
    }
    case 'replace':
      return how.by
  }
}
