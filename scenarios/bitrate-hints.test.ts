import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from './lab/browsers.ts'
import type { ToneBrowser } from './lab/browsers.ts'
import { Caller, watches } from './lab/caller.ts'
import type { LayerSight, Sight } from './lab/caller.ts'
import { servePage } from './lab/page-server.ts'
import { ParleyProcess } from './lab/parley-process.ts'

let parley: ParleyProcess
let page: Awaited<ReturnType<typeof servePage>>
const browsers: ToneBrowser[] = []

beforeAll(async () => {
  parley = await ParleyProcess.start()
  page = await servePage()
  browsers.push(await launchChromium(440), await launchChromium(880))
})
afterAll(async () => {
  for (const { browser } of browsers) await browser.close()
  page.close()
  await parley.stop()
})

test('the size of a tile chooses the layer, and a hidden one stops its publisher', async () => {
  const [alice, bob] = await arrive('alice', 'bob')
  for (const one of [alice, bob]) await one.do('join', 'gallery')
  await watches(alice, [bob])

  await alice.do('show', 'bob', 120)
  const small = await alice.sees('less of bob in a small tile', (sight) => layerOf(sight) === 0)
  expect(reasonOf(small)).toBe('tile-size')
  await bob.sees('that nobody takes his higher layers', ({ demand }) => demand?.layer === 0)

  await alice.do('show', 'bob', 1_200)
  await alice.sees('more of bob in a large tile', (sight) => (layerOf(sight) ?? 0) > 0)
  await bob.sees('that more is wanted', ({ demand }) => (demand?.layer ?? -1) > 0)

  await alice.do('show', 'bob', 0)
  const unwatched = await bob.sees('that nobody watches', ({ demand }) => isNothing(demand))
  expect(unwatched.demand?.reason).toBe('not-watched')

  await alice.do('show', 'bob', 640)
  await watches(alice, [bob])
  for (const one of [alice, bob]) await one.close()
})

async function arrive(one: string, other: string): Promise<[Caller, Caller]> {
  const options = { topology: 'sfu' }
  const spec = { pageUrl: page.url, parleyUrl: parley.url, options }
  const [first, second] = browsers
  if (!first || !second) throw new Error('the browsers are not there')
  return [
    await Caller.arrive(first, { ...spec, user: one }),
    await Caller.arrive(second, { ...spec, user: other }),
  ]
}

function cameraOf({ others }: Sight) {
  return others[0]?.tracks.find(({ source }) => source === 'camera')
}

function layerOf(sight: Sight): number | null | undefined {
  return cameraOf(sight)?.layer?.layer
}

function reasonOf(sight: Sight): string | undefined {
  return cameraOf(sight)?.layer?.reason
}

function isNothing(demand: LayerSight | undefined): boolean {
  return demand !== undefined && (demand.layer === null || demand.layer < 0)
}
