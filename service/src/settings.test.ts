import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readSettings, setting, SettingsError } from './settings.ts'

const table = {
  port: setting.integer('PARLEY_PORT', { about: 'A port.', fallback: 3000, min: 0, max: 65_535 }),
  dev: setting.flag('PARLEY_DEV', { about: 'A flag.', fallback: false }),
  level: setting.choice('PARLEY_LOG_LEVEL', {
    about: 'A word.',
    fallback: 'info',
    words: ['info', 'debug'],
  }),
  metrics: setting.hostPort('PARLEY_METRICS', { about: 'An address.', fallback: undefined }),
  secret: setting.secret('PARLEY_SECRET', { about: 'A secret.', minLength: 8 }),
  turnSecrets: setting.secrets('PARLEY_TURN_SECRET', { about: 'Some secrets.' }),
}

describe('settings', () => {
  test('absent and empty keys take their defaults, and the result is frozen', () => {
    const values = readSettings(table, { PARLEY_PORT: '', HOME: '/root' })
    expect(values).toMatchObject({ port: 3000, dev: false, level: 'info', metrics: undefined })
    expect(Object.isFrozen(values)).toBe(true)
  })

  test('good values are parsed', () => {
    const env = { PARLEY_PORT: '0', PARLEY_DEV: '1', PARLEY_METRICS: '[::1]:9100' }
    expect(readSettings(table, env)).toMatchObject({
      port: 0,
      dev: true,
      metrics: { host: '::1', port: 9100 },
    })
  })

  test.each([
    [{ PARLEY_PORT: '70000' }, /PARLEY_PORT="70000".*0 to 65535/],
    [{ PARLEY_PORT: '3e3' }, /PARLEY_PORT/],
    [{ PARLEY_DEV: 'yes' }, /PARLEY_DEV="yes".*1 or 0/],
    [{ PARLEY_LOG_LEVEL: 'loud' }, /one of info, debug/],
    [{ PARLEY_METRICS: '9100' }, /host:port/],
    [{ PARLEY_PROT: '3000' }, /did you mean PARLEY_PORT/],
    [{ PARLEY_NONSENSE_KEY: '1' }, /a known key/],
    [{ PARLEY_SECRET_FILE: '/none' }, /PARLEY_SECRET_FILE.*readable file/],
    [{ PARLEY_SECRET: 'long enough', PARLEY_SECRET_FILE: '/x' }, /only one of PARLEY_SECRET/],
  ])('%j stops the start with the key, the value and what was expected', (env, message) => {
    const read = () =>
      readSettings(table, env, () => {
        throw new Error('no such file')
      })
    expect(read).toThrow(SettingsError)
    expect(read).toThrow(message)
  })

  test('all problems are named at once', () => {
    const read = () => readSettings(table, { PARLEY_PORT: 'x', PARLEY_DEV: 'x' })
    expect(read).toThrow(/PARLEY_PORT[\s\S]*PARLEY_DEV/)
  })

  test('secrets come from files too, and never print', () => {
    const values = readSettings(table, { PARLEY_SECRET_FILE: '/run/s' }, () => 'from the file\n')
    expect(values.secret?.reveal()).toBe('from the file')
    expect(`${inspect(values)} ${JSON.stringify(values)}`).not.toContain('from the file')
    expect(() => readSettings(table, { PARLEY_SECRET: 'short' })).toThrow(/\[secret\]/)
  })

  test('several secrets keep their order', () => {
    const { turnSecrets } = readSettings(table, { PARLEY_TURN_SECRET: 'new, old' })
    expect(turnSecrets.map((secret) => secret.reveal())).toEqual(['new', 'old'])
  })
})
