import type { CallId, DeviceId, UserId } from '@parley/protocol'
import type { Group, GroupKeyAgreement } from '../src/e2ee/group-key-agreement.ts'
import { deviceKeyOf, generateDeviceKeyPair } from '../src/e2ee/identity/device-key.ts'
import type { DeviceKey } from '../src/e2ee/identity/device-key.ts'
import { mlsAgreement } from '../src/e2ee/mls/agreement.ts'
import { toText } from '../src/e2ee/octets.ts'

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** One device with a part in a group. */
export interface WalkMember {
  readonly name: string
  readonly agreement: GroupKeyAgreement
  group: Group
}

const CALL = 'walk' as CallId

/** The same long-term key for all: making one takes longer than a step. */
let sharedKey: Promise<DeviceKey> | undefined

/** Key agreement for a device of a user of that name. */
export async function agreementOf(user: string, key?: DeviceKey): Promise<GroupKeyAgreement> {
  sharedKey ??= generateDeviceKeyPair().then(deviceKeyOf)
  return mlsAgreement({
    call: CALL,
    user: user as UserId,
    device: 'only' as DeviceId,
    key: key ?? (await sharedKey),
    now: () => Date.now(),
  })
}

/** Begins a group of one. */
export async function founder(name: string): Promise<WalkMember> {
  const agreement = await agreementOf(name)
  return { name, agreement, group: await agreement.create() }
}

/** Has `by` commit a change, and everybody else follow. Answers with all members after it. */
export async function change(
  members: readonly WalkMember[],
  by: WalkMember,
  { come = [], gone = [] }: { come?: readonly string[]; gone?: readonly WalkMember[] },
): Promise<readonly WalkMember[]> {
  const comers = await Promise.all(
    come.map(async (name) => {
      const agreement = await agreementOf(name)
      return { name, agreement, offer: await agreement.offer() }
    }),
  )
  const prepared = await by.group.prepare({
    add: comers.map(({ offer }) => offer),
    remove: gone.map(({ group }) => group.ownLeaf),
  })
  const stay = members.filter((member) => !gone.includes(member))
  await follow(stay, by, prepared.commit)
  by.group = prepared.next
  const { welcome, groupInfo } = prepared
  const entered = comers.map(async ({ name, agreement }) => {
    if (!welcome) throw new Error('an addition without a welcome')
    return { name, agreement, group: await agreement.enter(welcome, groupInfo) }
  })
  return [...stay, ...(await Promise.all(entered))]
}

/** Has a device enter by a commit of its own; one that was a member keeps one leaf. */
export async function enterUninvited(
  members: readonly WalkMember[],
  name: string,
): Promise<readonly WalkMember[]> {
  const anyone = members.find((member) => member.name !== name)
  if (!anyone) throw new Error('nobody to enter to')
  const agreement = await agreementOf(name)
  const prepared = await agreement.enterUninvited(await anyone.group.publicState())
  const others = members.filter((member) => member.name !== name)
  await follow(others, undefined, prepared.commit)
  return [...others, { name, agreement, group: prepared.next }]
}

async function follow(
  members: readonly WalkMember[],
  committer: WalkMember | undefined,
  commit: Uint8Array,
): Promise<void> {
  for (const member of members) {
    if (member === committer) continue
    const processed = await member.group.process(commit)
    if (processed === 'removed') throw new Error(`${member.name} takes himself for removed`)
    member.group = processed.group
  }
}

/** Throws unless all members see the same group with the same secrets. */
export async function assertAgreement(members: readonly WalkMember[]): Promise<void> {
  const views = await Promise.all(
    members.map(async ({ group }) => {
      const secret = await group.exportSecret('SFrame 1.0 Base Key', 16)
      const names = group.members.map(({ user }) => user).join()
      return [group.epoch, toText(group.authenticator), toText(secret), names].join(' ')
    }),
  )
  if (new Set(views).size !== 1) throw new Error(`members disagree: ${views.join(' | ')}`)
  const [first] = members
  if (first?.group.members.length !== members.length) throw new Error('a ghost, or one too few')
}

/**
 * A random life of a group: members come, one, several or uninvited, go, lose their state and
 * refresh their keys; after each step all who are in must agree.
 */
export async function walk(seed: number, steps: number, mostMembers: number): Promise<number> {
  const random = seeded(seed)
  let names = 0
  const fresh = () => `user-${++names}`
  let members: readonly WalkMember[] = [await founder(fresh())]
  const pick = () => members[Math.floor(random() * members.length)] ?? members[0]
  let largest = 1
  for (let step = 0; step < steps; step++) {
    const by = pick()
    if (!by) throw new Error('an empty group')
    const others = members.filter((member) => member !== by)
    const gone = others.slice(0, 1 + Math.floor(random() * 2)).filter(() => members.length > 2)
    const come = random() < 0.4 ? [fresh(), fresh()] : [fresh()]
    const roll = random()
    const hasRoom = members.length + come.length <= mostMembers
    const other = others[Math.floor(random() * others.length)]
    if (roll < 0.4 && hasRoom) members = await change(members, by, { come })
    else if (roll < 0.55 && other) members = await change(members, by, { gone: [other] })
    else if (roll < 0.65) members = await change(members, by, { gone, come: [fresh()] })
    else if (roll < 0.75 && hasRoom) members = await enterUninvited(members, fresh())
    else if (roll < 0.85 && other) members = await enterUninvited(members, by.name)
    else members = await change(members, by, {})
    await assertAgreement(members)
    largest = Math.max(largest, members.length)
  }
  return largest
}
