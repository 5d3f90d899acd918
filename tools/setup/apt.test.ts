import { expect, test } from 'vitest'

import { aptPercent, aptReason, cannotInstall, unreachableHost } from './apt.mjs'
import { browsers, libraryRequirements, missing, programs, workerBuild } from './requirements.mjs'

const debian = { hasApt: true, hasSystemd: true }
const other = { hasApt: false, hasSystemd: true }
const nothing = { hasCommand: () => false, hasHeader: () => false }

test('a bare machine lacks everything, one with it all lacks nothing', () => {
  expect(missing(workerBuild, nothing).map(({ debian }) => debian)).toEqual([
    'g++',
    'cmake',
    'ninja-build',
    'libssl-dev',
    'libuv1-dev',
    'libsrtp2-dev',
    'libabsl-dev',
    'libflatbuffers-dev',
    'flatbuffers-compiler',
  ])
  expect(missing(workerBuild, { hasCommand: () => true, hasHeader: () => true })).toEqual([])
})

test('a browser from its maker serves as well as Debian’s', () => {
  const probe = { ...nothing, hasCommand: (name: string) => name === 'google-chrome' }
  expect(missing(browsers, probe).map(({ debian }) => debian)).toEqual(['firefox-esr'])
})

test('without root, the exact packages and the exact command are named', () => {
  const failure = cannotInstall([...browsers, ...programs], ['chromium', 'coturn'], debian)
  expect(failure.message).toBe('Missing Debian packages: chromium coturn')
  expect(failure.advice).toContain(
    '  sudo apt-get update && sudo apt-get install -y --no-install-recommends chromium coturn',
  )
  expect(failure.advice.join()).toContain('sudo systemctl disable --now coturn')
})

test('on another system, the things are named as people know them', () => {
  const failure = cannotInstall(browsers, ['chromium', 'firefox-esr'], other)
  expect(failure.message).toBe('Missing on this machine: Chromium, Firefox')
  expect(failure.advice.join(' ')).toContain('chromium firefox-esr')
})

test('a missing shared library names its package', () => {
  const packages = libraryRequirements(['libsrtp2.so.1', 'libfoo.so.4.1']).map((one) => one.debian)
  expect(packages).toEqual(['libsrtp2-1', 'libfoo4'])
})

test('apt’s status lines become one percentage', () => {
  expect(aptPercent('dlstatus:1:50.0:Retrieving file 1 of 2')).toBe(25)
  expect(aptPercent('pmstatus:coturn:50.0:Unpacking coturn')).toBe(75)
  expect(aptPercent('media-change: x')).toBeUndefined()
})

test('an unreachable host and the reason are read from apt’s output', () => {
  const output = [
    'Err:1 http://mirror.example.org/debian bookworm/main amd64 coturn amd64 4.6.1-1',
    "  Could not resolve 'mirror.example.org'",
    "E: Failed to fetch http://mirror.example.org/c.deb  Could not resolve 'mirror.example.org'",
  ].join('\n')
  expect(unreachableHost(output)).toBe('mirror.example.org')
  expect(aptReason(output)).toMatch(/^E: Failed to fetch/)
  expect(unreachableHost('E: Unable to locate package x')).toBeUndefined()
})
