import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { hashOf, readStamp, writeStamp } from './stamp.mjs'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stamp-'))
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'src/a.ts'), 'a')
  writeFileSync(join(folder, 'lock.json'), '{}')
})
afterEach(() => rmSync(folder, { recursive: true }))

const hash = (facts: string[] = []) => hashOf(folder, ['src', 'lock.json', 'absent.ts'], facts)

test('the same files give the same hash, in whatever order they are named', () => {
  expect(hash()).toBe(hash())
  expect(hashOf(folder, ['lock.json', 'src'])).toBe(hashOf(folder, ['src', 'lock.json']))
})

test('a change of content, a new file, a rename and a changed fact each change the hash', () => {
  const seen = new Set([hash()])
  writeFileSync(join(folder, 'src/a.ts'), 'b')
  seen.add(hash())
  writeFileSync(join(folder, 'src/b.ts'), 'a')
  seen.add(hash())
  rmSync(join(folder, 'src/b.ts'))
  writeFileSync(join(folder, 'src/c.ts'), 'a')
  seen.add(hash())
  writeFileSync(join(folder, 'absent.ts'), '')
  seen.add(hash())
  seen.add(hash(['x64']))
  expect(seen.size).toBe(6)
})

test('moving bytes from one file to the next changes the hash', () => {
  writeFileSync(join(folder, 'one'), 'ab')
  writeFileSync(join(folder, 'two'), 'c')
  const before = hashOf(folder, ['one', 'two'])
  writeFileSync(join(folder, 'one'), 'a')
  writeFileSync(join(folder, 'two'), 'bc')
  expect(hashOf(folder, ['one', 'two'])).not.toBe(before)
})

test('a stamp reads back, and a missing or torn one counts as none', () => {
  const file = join(folder, 'deep/stamp.json')
  expect(readStamp(file)).toBeUndefined()
  writeStamp(file, 'abc')
  expect(readStamp(file)).toBe('abc')
  writeFileSync(file, '"ab')
  expect(readStamp(file)).toBeUndefined()
})
