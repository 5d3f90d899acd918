import { describe, expect, test } from 'vitest'
import { readTurnConfig } from './config.ts'

const secret = { PARLEY_TURN_SECRET: 'secret' }
const interfaces = {
  lo: [nic('127.0.0.1', true)],
  eth0: [nic('10.0.0.2', false)],
}

describe('readTurnConfig', () => {
  test('with a secret alone serves UDP and TCP, and relays on the address that it finds', () => {
    const config = read({})
    expect(config.listeners).toEqual([
      { transport: 'udp', host: '0.0.0.0', port: 3478 },
      { transport: 'tcp', host: '0.0.0.0', port: 3478 },
    ])
    expect(config.isTlsLeftOut).toBe(true)
    expect(config.relays).toEqual({ 4: { host: '10.0.0.2', announced: '10.0.0.2' } })
    expect(config.relayPorts).toEqual({ first: 49_152, last: 65_535 })
    expect(config.realm).toBe('parley')
    expect(Object.isFrozen(config)).toBe(true)
  })

  test('adds TLS when there is a certificate', () => {
    const tls = { PARLEY_TURN_TLS_CERT: 'cert.pem', PARLEY_TURN_TLS_KEY: 'key.pem' }
    const config = read(tls)
    expect(config.listeners.at(-1)).toEqual({ transport: 'tls', host: '0.0.0.0', port: 5349 })
    expect(config.tls).toEqual({ certFile: 'cert.pem', keyFile: 'key.pem' })
    expect(config.isTlsLeftOut).toBe(false)
  })

  test('announces the public address, and binds it only where it is ours', () => {
    expect(read({ PARLEY_PUBLIC_ADDRESS: '5.6.7.8' }).relays[4]).toEqual({
      host: '10.0.0.2',
      announced: '5.6.7.8',
    })
    expect(read({ PARLEY_PUBLIC_ADDRESS: '127.0.0.1' }).relays[4]).toEqual({
      host: '127.0.0.1',
      announced: '127.0.0.1',
    })
    const both = { PARLEY_PUBLIC_ADDRESS: '5.6.7.8', PARLEY_TURN_EXTERNAL_ADDRESS: '5.6.7.9' }
    expect(read(both).relays[4]?.announced).toBe('5.6.7.9')
  })

  test('takes one relay address of each family; the external one is for its own family', () => {
    const config = read({
      PARLEY_TURN_RELAY_ADDRESS: '10.0.0.2, 2001:db8::2',
      PARLEY_TURN_EXTERNAL_ADDRESS: '5.6.7.8',
    })
    expect(config.relays).toEqual({
      4: { host: '10.0.0.2', announced: '5.6.7.8' },
      6: { host: '2001:db8::2', announced: '2001:db8::2' },
    })
  })

  test('does not print secrets', () => {
    expect(JSON.stringify(read({ PARLEY_TURN_SECRET: 'hush,older' }))).not.toMatch(/hush|older/)
    expect(read({ PARLEY_TURN_SECRET: 'hush,older' }).secrets.map((s) => s.reveal())).toEqual([
      'hush',
      'older',
    ])
  })

  test.each<[string, Record<string, string>]>([
    ['PARLEY_TURN_SECRET', { PARLEY_TURN_SECRET: '' }],
    ['PARLEY_TURN_TLS_CERT', { PARLEY_TURN_LISTEN: 'tls://0.0.0.0:5349' }],
    ['PARLEY_TURN_TLS_KEY', { PARLEY_TURN_TLS_CERT: 'cert.pem' }],
    ['PARLEY_TURN_TLS_CERT', { PARLEY_TURN_TLS_KEY: 'key.pem' }],
    ['PARLEY_TURN_LISTEN', { PARLEY_TURN_LISTEN: 'sctp://0.0.0.0:3478' }],
    ['PARLEY_TURN_LISTEN', { PARLEY_TURN_LISTEN: 'udp://turn.example.org:3478' }],
    ['PARLEY_TURN_LISTEN', { PARLEY_TURN_LISTEN: 'udp://0.0.0.0' }],
    ['PARLEY_TURN_PORTS', { PARLEY_TURN_PORTS: '60000-50000' }],
    ['PARLEY_TURN_PORTS', { PARLEY_TURN_PORTS: '80-90' }],
    ['PARLEY_TURN_RELAY_ADDRESS', { PARLEY_TURN_RELAY_ADDRESS: '0.0.0.0' }],
    ['PARLEY_TURN_RELAY_ADDRESS', { PARLEY_TURN_RELAY_ADDRESS: '::' }],
    ['PARLEY_TURN_EXTERNAL_ADDRESS', { PARLEY_TURN_EXTERNAL_ADDRESS: '1.2.3.4,1.2.3.5' }],
    ['PARLEY_TURN_ALLOW_PEERS', { PARLEY_TURN_ALLOW_PEERS: '10.0.0.0/99' }],
    ['PARLEY_TURN_DENY_PEERS', { PARLEY_TURN_DENY_PEERS: 'everybody' }],
  ])('names %s when it cannot start with %j', (key, env) => {
    expect(() => read(env)).toThrow(key)
  })
})

function read(env: Record<string, string>) {
  return readTurnConfig({ ...secret, ...env }, interfaces)
}

function nic(address: string, internal: boolean) {
  return {
    address,
    internal,
    family: 'IPv4' as const,
    netmask: '255.255.255.0',
    mac: '00:00:00:00:00:00',
    cidr: `${address}/24`,
  }
}
