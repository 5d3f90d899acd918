import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { cacheFolder } from './cache.mjs'
import { helpText, parseCommandLine, purposes } from './purposes.mjs'

test('no argument means everything that any purpose needs', () => {
  const every = new Set(Object.values(purposes).flatMap(({ needs }) => needs))
  expect(parseCommandLine([])).toEqual({ type: 'prepare', purpose: 'all', needs: [...every] })
})

test('an unknown word, a word too many and names of object members are refused', () => {
  expect(parseCommandLine(['strat'])).toEqual({ type: 'unknown', word: 'strat' })
  expect(parseCommandLine(['sfu', 'turn'])).toEqual({ type: 'unknown', word: 'turn' })
  expect(parseCommandLine(['constructor'])).toEqual({ type: 'unknown', word: 'constructor' })
})

test('the help names every purpose', () => {
  expect(parseCommandLine(['--help'])).toEqual({ type: 'help' })
  for (const name of Object.keys(purposes)) expect(helpText()).toContain(`  ${name} `)
})

test('every purpose that an npm script names exists', () => {
  const { scripts } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { scripts: Record<string, string> }
  const used = Object.values(scripts).flatMap((script) =>
    [...script.matchAll(/tools\/setup\/main\.mjs (\w+)/g)].map((match) => match[1] ?? ''),
  )
  expect(used.length).toBeGreaterThan(0)
  expect(used.filter((word) => parseCommandLine([word]).type !== 'prepare')).toEqual([])
})

test('the cache lies where it is told, else where the desktop standard says', () => {
  expect(cacheFolder({ PARLEY_CACHE: '/c', XDG_CACHE_HOME: '/x' }, '/home/u')).toBe('/c')
  expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, '/home/u')).toBe('/x/parley')
  expect(cacheFolder({}, '/home/u')).toBe('/home/u/.cache/parley')
})
