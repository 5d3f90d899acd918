/**
 * `npm run chaos -- rekey [--rounds N]`: what a change of keys costs in a call through a node, in real
 * browsers. Two stay in Chromium; a third comes and goes in Firefox: how much of each other's sound do
 * the two lose at it, beside as much time in which nothing happens, and beside the same call without
 * encryption? With sound alone, as pictures of three people keep two cores so busy that sound is lost for
 * that; and with pictures. Then somebody is removed who keeps every key, by a node that goes on sending
 * to him: how long does he still open frames and see pictures?
 */
import { setTimeout as wait } from 'node:timers/promises'
import { hears, watches } from '../lab/caller.ts'
import type { Caller } from '../lab/caller.ts'
import { openLab, without } from '../lab/lab.ts'
import type { Lab } from '../lab/lab.ts'
import { until } from '../lab/patience.ts'
import { readCounts } from './counts.ts'

const USAGE = 'npm run chaos -- rekey [--rounds N]'
/** Longer than senders wait for the others' keys. */
const SETTLED_MS = 2_000
/** What the removed person is asked for, so often. */
const LOOK_EVERY_MS = 20
/** Of sounds and pictures of two people, some seconds. */
const MANY_FRAMES = 300

const say = (line: string) => process.stdout.write(`${line}\n`)
const counts = readCounts(USAGE, { rounds: 5 })
if (counts) {
  const { rounds } = counts
  for (const video of [false, true]) {
    for (const encryption of ['required', 'off']) {
      const lab = await openLab(['chromium', 'chromium', 'firefox'])
      await comeAndGo(lab, { encryption, video }, rounds).finally(() => lab.close())
    }
  }
  const lab = await openLab(['chromium', 'chromium', 'chromium'], { leaky: true })
  await remove(lab, rounds).finally(() => lab.close())
}

interface Kind {
  readonly encryption: string
  readonly video: boolean
}

async function comeAndGo(lab: Lab, { encryption, video }: Kind, rounds: number): Promise<void> {
  const media = { audio: true, video }
  const people = await twoWhoStay(lab, { encryption }, media)
  const carol = await lab.arrive(2, 'carol', { topology: 'sfu', encryption })
  const settle = encryption === 'off' ? hearEachOther : settled
  let code = await settle(people, '')
  const lost = { quiet: [] as number[], join: [] as number[], leave: [] as number[] }
  const unopened: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const nothing = async () => {
      await hearEachOther(people)
    }
    const join = async () => {
      await carol.do('join', 'standup', media)
      code = await settle([...people, carol], code)
    }
    const leave = async () => {
      await carol.do('hangup')
      code = await settle(people, code)
    }
    const early = await earlyFrames(people)
    const now = {
      quiet: await lossDuring(people, nothing),
      join: await lossDuring(people, join),
      leave: await lossDuring(people, leave),
    }
    for (const when of ['quiet', 'join', 'leave'] as const) lost[when].push(...now[when])
    unopened.push(...(await earlyFrames(people)).map((after, at) => after - (early[at] ?? 0)))
    say(
      `round ${round} of ${rounds}, ms of sound lost: ${JSON.stringify(now)}, frames before their keys: ${unopened.slice(-2).join()}`,
    )
  }
  const what = video ? 'sound and pictures' : 'sound alone'
  say(`Sound lost by each who stays: ${what}, encryption ${encryption} (goal: at most 200 ms)`)
  for (const [when, all] of Object.entries(lost)) say(`  ${when}: ${inWords(all)}`)
  const early = unopened.reduce((sum, some) => sum + some, 0)
  say(`  frames that came before their keys: ${early}`)
}

async function remove(lab: Lab, rounds: number): Promise<void> {
  const people = await twoWhoStay(lab)
  const [alice] = people
  let code = await settled(people, '')
  const lost: number[] = []
  const opened: number[] = []
  const seen: number[] = []
  for (let round = 1; round <= rounds; round++) {
    // Somebody else each time: another device of the same person had to be approved first.
    const mallory = await lab.arrive(2, `mallory-${round}`, {}, { before: 'hangOn' })
    await mallory.do('join', 'standup')
    code = await settled([...people, mallory], code)
    await watches(mallory, people)
    lost.push(
      ...(await lossDuring(people, async () => {
        const still = await afterRemoval(alice, mallory)
        opened.push(still.openedMs)
        seen.push(still.seenMs)
        code = await settled(people, code)
      })),
    )
    say(`round ${round} of ${rounds}: opened for ${opened.at(-1)} ms, saw for ${seen.at(-1)} ms`)
    await mallory.close()
  }
  say('The removed one, who is still sent everything (goal: nothing after 1000 ms)')
  say(`  opened frames: ${inWords(opened)}`)
  say(`  saw new pictures: ${inWords(seen)}`)
  say(`Sound lost by each who stays at it: ${inWords(lost)}`)
}

async function twoWhoStay(
  lab: Lab,
  more: object = {},
  media = { audio: true, video: true },
): Promise<readonly [Caller, Caller]> {
  const options = { topology: 'sfu', grants: { host: true }, ...more }
  const people = [
    await lab.arrive(0, 'alice', options),
    await lab.arrive(1, 'bob', options),
  ] as const
  for (const one of people) await one.do('join', 'standup', media)
  return people
}

/** Removes somebody and watches him until many frames came of which he had nothing, from the order on. */
async function afterRemoval(host: Caller, removed: Caller) {
  const orderedAt = Date.now()
  await host.do('remove', removed.user)
  let last = await removed.taken()
  let pictureAt = orderedAt
  for (;;) {
    const now = await removed.taken()
    const had = now.lastOpenedAt !== last.lastOpenedAt || now.pictures !== last.pictures
    if (now.pictures !== last.pictures) pictureAt = Date.now()
    if (now.ofUnknownKeys > last.ofUnknownKeys + MANY_FRAMES) break
    if (had) last = now
    await wait(LOOK_EVERY_MS)
  }
  return {
    openedMs: Math.max(0, last.lastOpenedAt - orderedAt),
    seenMs: pictureAt - orderedAt,
  }
}

/** Frames that have come to each before the keys that they are sealed with. */
function earlyFrames(people: readonly Caller[]): Promise<readonly number[]> {
  return Promise.all(people.map(async (one) => (await one.taken()).ofUnknownKeys))
}

/** What each of the two loses of the other's sound meanwhile and a moment longer, in milliseconds. */
async function lossDuring(
  people: readonly Caller[],
  happens: () => Promise<void>,
): Promise<readonly number[]> {
  const read = () =>
    Promise.all(people.map((one) => one.concealedMs(one.user === 'alice' ? 'bob' : 'alice')))
  const before = await read()
  await happens()
  await wait(SETTLED_MS)
  return (await read()).map((after, at) => Math.round(after - (before[at] ?? 0)))
}

/** Waits until all are at the same epoch, another one than before, and hear each other: its code. */
async function settled(people: readonly Caller[], before: string): Promise<string> {
  const [code] = await until(
    'all show one new code',
    () => Promise.all(people.map(async (one) => (await one.look()).verification ?? '')),
    ([first = '', ...rest]) =>
      first !== '' && first !== before && rest.every((other) => other === first),
  )
  await hearEachOther(people)
  return code ?? ''
}

async function hearEachOther(people: readonly Caller[]): Promise<string> {
  for (const one of people) await hears(one, without(people, one))
  return ''
}

function inWords(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b)
  return `median ${sorted[sorted.length >> 1]} ms, most ${sorted.at(-1)} ms, of ${sorted.length}`
}
