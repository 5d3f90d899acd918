import { SettingsError } from '@parley/service'
import { expect, test } from 'vitest'
import { readSfuConfig } from './config.ts'

test('nothing set gives a node that works on this machine', () => {
  const config = readSfuConfig({})
  expect(config).toMatchObject({
    listen: '0.0.0.0',
    firstPort: 10_000,
    control: { host: '127.0.0.1', port: 4_000 },
    secret: undefined,
  })
  expect(config.workers).toBeGreaterThan(0)
  expect(config.publicAddress).toMatch(/^\d+(\.\d+){3}$/)
})

test('the announced address can be given', () => {
  expect(readSfuConfig({ PARLEY_PUBLIC_ADDRESS: 'sfu.example.org' }).publicAddress).toBe(
    'sfu.example.org',
  )
})

test('ports that do not reach for all workers stop the start', () => {
  const read = () => readSfuConfig({ PARLEY_SFU_PORT: '65534', PARLEY_SFU_WORKERS: '3' })
  expect(read).toThrow(SettingsError)
  expect(read).toThrow(/PARLEY_SFU_PORT=65534.*at most 65533/)
})

test('a bad value names its key', () => {
  expect(() => readSfuConfig({ PARLEY_SFU_WORKERS: 'many' })).toThrow(/PARLEY_SFU_WORKERS="many"/)
  expect(() => readSfuConfig({ PARLEY_SFU_SECRET: 'short' })).toThrow(
    /PARLEY_SFU_SECRET=\[secret\]/,
  )
})
