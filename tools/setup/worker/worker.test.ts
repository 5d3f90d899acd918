import { expect, test } from 'vitest'

import { patchDtls } from './dtls-patch.mjs'
import { cacheKeys, distributionOf } from './identity.mjs'
import { buildComplaint, compilerCount, ninjaProgress } from './ninja.mjs'
import { prebuiltUrl } from './prebuilt.mjs'
import { judgeTrial, librariesNotFound } from './trial.mjs'

const facts = {
  mediasoup: '3.27.1',
  arch: 'x64',
  system: 'debian-12-glibc 2.36',
  recipe: 'abcd',
  compiler: 'c++-12.2.0',
}

test('a built worker is cached under everything that shapes it', () => {
  expect(cacheKeys(facts).built).toBe('3.27.1_x64_debian-12-glibc-2.36/built-abcd-c++-12.2.0')
  const keys = Object.keys(facts).map((key) => cacheKeys({ ...facts, [key]: 'other' }).built)
  expect(new Set([cacheKeys(facts).built, ...keys]).size).toBe(6)
})

test('a prebuilt worker depends on neither our recipe nor a compiler', () => {
  const { prebuilt } = cacheKeys(facts)
  expect(cacheKeys({ ...facts, recipe: 'x', compiler: 'none' }).prebuilt).toBe(prebuilt)
  expect(cacheKeys({ ...facts, mediasoup: '3.28.0' }).prebuilt).not.toBe(prebuilt)
})

test('the distribution is read from os-release, quoted or not, versioned or not', () => {
  expect(distributionOf('NAME="Debian"\nVERSION_ID="12"\nID=debian\n')).toBe('debian-12')
  expect(distributionOf('ID=debian\nVERSION_CODENAME=sid\n')).toBe('debian')
  expect(distributionOf('ID="opensuse-leap"\nVERSION_ID="15.6"')).toBe('opensuse-leap-15.6')
})

test('Ninja’s progress is read, and nothing else is taken for it', () => {
  expect(ninjaProgress('[12/260] Building CXX object a.o')).toEqual({ done: 12, total: 260 })
  expect(ninjaProgress('FAILED: a.o')).toBeUndefined()
  expect(ninjaProgress('a[1] = b[2/3]')).toBeUndefined()
})

test('a small machine runs fewer compilers than it has cores, but one at least', () => {
  expect(compilerCount({ cores: 8, freeBytes: 64e9 })).toBe(8)
  expect(compilerCount({ cores: 8, freeBytes: 2e9 })).toBe(2)
  expect(compilerCount({ cores: 2, freeBytes: 0.3e9 })).toBe(1)
})

test('a failed build is summed up by its first error', () => {
  const output = '[1/2] Building a.o\nFAILED: a.o\na.cpp:3:1: error: no such thing\nmore\n'
  expect(buildComplaint(output)).toBe('a.cpp:3:1: error: no such thing')
  expect(buildComplaint('killed\n\n')).toBe('killed')
})

test('the DTLS line is patched where it stands once, and refused otherwise', () => {
  const line = 'const long result = (operationType == BIO_CB_RETURN) ? ret : 1;'
  expect(patchDtls(line)).toBe('const long result = (operationType & BIO_CB_RETURN) ? ret : 1;')
  expect(() => patchDtls('nothing')).toThrow('0 times')
  expect(() => patchDtls(line + line)).toThrow('2 times')
})

test('the prebuilt worker is sought where mediasoup’s own install script would', () => {
  const manifest = {
    version: '3.27.1',
    repository: { url: 'git+https://example.org/mediasoup.git' },
  }
  const machine = { platform: 'linux', arch: 'x64', kernel: '6.1.0-18-amd64' }
  const name = 'mediasoup-worker-3.27.1-linux-x64-kernel6.tgz'
  expect(prebuiltUrl(manifest, {}, machine)).toBe(
    `https://example.org/mediasoup/releases/download/3.27.1/${name}`,
  )
  const env = { MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: 'https://mirror.example.org' }
  expect(prebuiltUrl(manifest, env, machine)).toBe(`https://mirror.example.org/3.27.1/${name}`)
  expect(prebuiltUrl(manifest, env, { ...machine, platform: 'darwin' })).not.toContain('kernel')
})

test('a worker that loads, one that lacks a library and one that is broken are told apart', () => {
  expect(judgeTrial(41, "you don't seem to be my real father!")).toEqual({ result: 'runs' })
  const loader = 'worker: error while loading shared libraries: libsrtp2.so.1: cannot open'
  expect(judgeTrial(127, loader)).toEqual({
    result: 'lacks-libraries',
    libraries: ['libsrtp2.so.1'],
  })
  expect(judgeTrial(126, 'cannot execute binary file')).toEqual({
    result: 'fails',
    reason: 'cannot execute binary file',
  })
  expect(judgeTrial(139, '')).toEqual({ result: 'fails', reason: 'it ends with code 139' })
})

test('ldd’s missing libraries are read', () => {
  const output = '\tlibsrtp2.so.1 => not found\n\tlibm.so.6 => /lib/libm.so.6 (0x0)\n'
  expect(librariesNotFound(output)).toEqual(['libsrtp2.so.1'])
})
