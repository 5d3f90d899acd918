import { afterEach, expect, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import { makeCertificate } from './lab/certificate.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

let lab: Lab | undefined

afterEach(() => lab?.close())

test.each(['udp', 'tcp', 'tls'])(
  'over %s alone Chromium and Firefox reach each other through the relay',
  async (transport) => {
    const certificate = transport === 'tls' ? makeCertificate() : undefined
    const env = {
      PARLEY_TURN_LISTEN: `${transport}://0.0.0.0:0`,
      ...(certificate && {
        PARLEY_TURN_TLS_CERT: certificate.certFile,
        PARLEY_TURN_TLS_KEY: certificate.keyFile,
      }),
    }
    lab = await openLab(['chromium', 'firefox'], { env, certificate })
    const options = { iceTransportPolicy: 'relay' }
    const alice = await lab.arrive(0, 'alice', options)
    const bob = await lab.arrive(1, 'bob', options)
    await alice.do('call', 'bob')
    await bob.isRung()
    await bob.do('accept')
    for (const one of [alice, bob]) {
      await one.sees(
        'a relayed path',
        ({ state, path }) => state === 'connected' && path === 'relay',
      )
    }
    await watches(alice, [bob])
    await watches(bob, [alice])
    await hears(bob, [alice])
    expect(await lab.parley.metric('parley_turn_allocations')).toBeGreaterThan(0)
  },
)
