import { afterAll, beforeAll, expect, test } from 'vitest'
import { watches } from './lab/caller.ts'
import type { LayerSight, Sight } from './lab/caller.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test('the size of a tile chooses the layer, and a hidden one stops its publisher', async () => {
  const alice = await lab.arrive(0, 'alice', { topology: 'sfu' })
  const bob = await lab.arrive(1, 'bob', { topology: 'sfu' })
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
