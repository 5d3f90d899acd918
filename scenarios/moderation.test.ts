import { afterAll, beforeAll, expect, test } from 'vitest'
import { hears, hearsNothingOf, watches } from './lab/caller.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

/** His tone is 440 Hz. */
const BOBS_BROWSER = 0
const OTHER_BROWSER = 1

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test('[MUTE-2] a client that does not heed its muting sends on, and the node carries nothing of it', async () => {
  const options = { topology: 'sfu' }
  const moderator = { ...options, grants: { host: true } }
  const unheeding = { before: 'ignoreModerators' } as const
  const alice = await lab.arrive(OTHER_BROWSER, 'alice', moderator)
  // Carol's SDK would play him: whether she hears anything is the node's doing alone.
  const carol = await lab.arrive(OTHER_BROWSER, 'carol', options, unheeding)
  const bob = await lab.arrive(BOBS_BROWSER, 'bob', options, unheeding)
  for (const one of [alice, carol, bob]) await one.do('join', 'assembly')
  await bob.do('setCamera', false)
  await hears(carol, [bob])

  await alice.do('silence', 'bob')
  await hearsNothingOf(carol, bob)
  const sent = await bob.sent()
  await until(
    'bob sends on',
    () => bob.sent(),
    (now) => now > sent,
  )
  for (const one of [bob, carol]) {
    expect((await one.look()).log.filter((line) => line.startsWith('silenced'))).toEqual([])
  }
  await hearsNothingOf(carol, bob)
  await alice.do('allow', 'bob')
  await bob.do('setMicrophone', false)
  await bob.do('setMicrophone', true)
  await hears(carol, [bob])
  for (const one of [alice, bob, carol]) await one.close()
})

test.each(['auto', 'sfu'])(
  'who waits in the lobby is let in, muted by force and removed, on a path of topology %s',
  async (topology) => {
    const room = `council-${topology}`
    const alice = await lab.arrive(OTHER_BROWSER, 'alice', { topology, grants: { host: true } })
    const bob = await lab.arrive(BOBS_BROWSER, 'bob', { topology })
    const carol = await lab.arrive(OTHER_BROWSER, 'carol', { topology })
    await alice.do('join', room)
    await alice.do('setLobby', true)

    await bob.do('join', room)
    await alice.sees('bob waiting', ({ lobby }) => lobby?.join() === 'bob')
    expect(await bob.look()).toMatchObject({ state: 'waiting', others: [] })
    expect(await bob.sent()).toBe(0)
    expect((await alice.look()).others).toEqual([])

    await alice.do('admit', 'bob')
    await watches(bob, [alice])
    await watches(alice, [bob])
    await hears(alice, [bob])

    await alice.do('silence', 'bob')
    await hearsNothingOf(alice, bob)
    await bob.sees('that he is muted', ({ log }) => log.includes('silenced microphone'))
    await expect(bob.do('setMicrophone', true)).rejects.toThrow('moderator')
    await watches(alice, [bob])
    await alice.do('allow', 'bob')
    await bob.sees('that he may speak', ({ log }) => log.includes('silenced '))
    await bob.do('setMicrophone', true)
    await hears(alice, [bob])

    await alice.do('remove', 'bob')
    await bob.sees('why he is out', ({ endReason }) => endReason === 'removed')
    await alice.sees('that she is alone, and goes on', (sight) => {
      return sight.state === 'connected' && sight.others.length === 0
    })

    await alice.do('lock')
    await expect(carol.do('join', room)).rejects.toThrow('locked')
    for (const one of [alice, bob, carol]) await one.close()
  },
)
