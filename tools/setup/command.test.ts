import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { run, stopCommands, which } from './command.mjs'

test('a command’s code, its output and its errors are collected, line by line', async () => {
  const lines: string[] = []
  const { code, output } = await run('sh', ['-c', 'echo out; echo err >&2; printf end; exit 3'], {
    onLine: (line) => lines.push(line),
  })
  expect(code).toBe(3)
  expect([...lines].sort()).toEqual(['end', 'err', 'out'])
  expect(output).toContain('err\n')
})

test('a command that is not installed ends with 127, as in a shell', async () => {
  expect(await run('no-such-command', [])).toEqual({
    code: 127,
    output: 'no-such-command: command not found\n',
  })
})

test('what a child writes to descriptor 3 arrives apart', async () => {
  const status: string[] = []
  const { output } = await run('sh', ['-c', 'echo 50 >&3; echo out'], {
    onStatus: (line) => status.push(line),
  })
  expect(status).toEqual(['50'])
  expect(output).toBe('out\n')
})

test('stopping ends a child with its descendants', async () => {
  const started = Date.now()
  const { code } = await run('sh', ['-c', 'sleep 60 & echo ready; sleep 60; wait'], {
    onLine: () => void stopCommands(),
  })
  expect(code).toBe(143)
  expect(Date.now() - started).toBeLessThan(5_000)
})

test('which finds programs, not folders and not files that do not run', () => {
  expect(which('sh')).toMatch(/\/sh$/)
  const folder = mkdtempSync(join(tmpdir(), 'which-'))
  expect(which(folder.split('/').at(-1) ?? '', { PATH: tmpdir() })).toBeUndefined()
})
