import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { isGone, takeLock } from './lock.mjs'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const here = { place: 'host pid:1', startOf: (pid: number) => (pid === 7 ? '1000' : undefined) }
const holder = { id: 'x', pid: 7, startedAt: '1000', place: 'host pid:1' }

test.each([
  ['runs', holder, 0, false],
  ['runs, though its heartbeat stopped (it was suspended)', holder, 100_000, false],
  ['has ended', { ...holder, pid: 8 }, 0, true],
  ['has ended, and its pid is another process now', { ...holder, startedAt: '900' }, 0, true],
  ['is in another container and has a heartbeat', { ...holder, place: 'b' }, 50_000, false],
  ['is in another container and silent', { ...holder, place: 'b' }, 70_000, true],
  ['is unreadable, and fresh', undefined, 0, false],
  ['is unreadable, and old', undefined, 70_000, true],
])('a holder that %s: gone is %4$s', (_name, who, silentForMs, gone) => {
  expect(isGone({ holder: who, touchedAtMs: 0 }, here, silentForMs)).toBe(gone)
})

test('a second taker waits until the first releases', async () => {
  const path = join(folder, 'a.lock')
  const order: string[] = []
  const first = await takeLock(path)
  const second = takeLock(path, {
    onWait: (seen) => {
      order.push(`waits for ${seen?.pid ?? 0}`, 'release')
      first.release()
    },
  })
  await second
  order.push('second')
  expect(order).toEqual([`waits for ${process.pid}`, 'release', 'second'])
  ;(await second).release()
  expect(readdirSync(folder)).toEqual([])
})

test('the lock of a process that was killed is taken over at once', async () => {
  const path = join(folder, 'a.lock')
  const mine = await takeLock(path)
  const text = readFileSync(path, 'utf8')
  mine.release()
  const dead = spawnSync(process.execPath, ['-e', '0']).pid
  writeFileSync(path, text.replace(`"pid":${process.pid}`, `"pid":${dead}`))
  let waited = false
  const lock = await takeLock(path, { onWait: () => (waited = true) })
  expect(waited).toBe(false)
  lock.release()
  expect(existsSync(path)).toBe(false)
})

test('releasing twice, or after someone took the lock over, harms nobody', async () => {
  const path = join(folder, 'a.lock')
  const lock = await takeLock(path)
  writeFileSync(path, '{"id":"another"}')
  lock.release()
  lock.release()
  expect(readFileSync(path, 'utf8')).toBe('{"id":"another"}')
})
