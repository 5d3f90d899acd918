import { expect, test } from 'vitest'

import { sameDependencies, sameInstall } from './packages.mjs'

const lock = {
  '': { version: '0.1.0' },
  protocol: { version: '0.1.0' },
  'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' },
  'node_modules/fsevents': { version: '2.0.0', integrity: 'sha512-b', optional: true },
}
const { 'node_modules/zod': zod } = lock

test('an install is that of the lockfile if every package is, optional ones excepted', () => {
  expect(sameInstall(lock, { 'node_modules/zod': zod })).toBe(true)
  expect(sameInstall(lock, {})).toBe(false)
  expect(sameInstall(lock, { 'node_modules/zod': { ...zod, version: '4.0.1' } })).toBe(false)
  expect(sameInstall(lock, { 'node_modules/zod': { ...zod, integrity: 'sha512-c' } })).toBe(false)
})

test('a package that the lockfile does not know means that it has changed', () => {
  expect(sameInstall(lock, { 'node_modules/zod': zod, 'node_modules/old': {} })).toBe(false)
})

test('packages of this repository are linked whoever asks for them', () => {
  const linked = { ...lock, 'node_modules/@parley/protocol': { link: true } }
  const manifest = { version: '0.1.0', dependencies: { '@parley/protocol': '0.1.0' } }
  expect(sameDependencies(linked, 'sfu', manifest)).toBe(true)
})

test('a manifest that asks for more than the lockfile holds is noticed', () => {
  const manifest = { dependencies: { zod: '4.0.0' } }
  const locked = { ...lock, sfu: manifest }
  expect(sameDependencies(locked, 'sfu', manifest)).toBe(true)
  expect(sameDependencies(locked, 'turn', manifest)).toBe(false)
  expect(sameDependencies(locked, 'turn', {})).toBe(true)
  const more = { ...manifest, devDependencies: { vite: '8.0.0' } }
  expect(sameDependencies(locked, 'sfu', more)).toBe(false)
})
