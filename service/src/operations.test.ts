import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { Health } from './health.ts'
import { listen } from './listen.ts'
import { Metrics } from './metrics.ts'
import { serveOperations } from './operations.ts'
import { findPublicAddress } from './public-address.ts'

const LOCAL = { host: '127.0.0.1', port: 0 }

test('liveness holds while readiness does not, and says what is missing', async () => {
  const health = new Health()
  const metrics = new Metrics()
  metrics.counter('parley_things_total', 'Things.').inc(3)
  const operations = await serveOperations(LOCAL, { health, metrics })
  const get = (path: string) => fetch(`http://127.0.0.1:${operations.port}${path}`)
  health.notReady('sfu', 'no worker')
  expect((await get('/healthz')).status).toBe(200)
  const unready = await get('/readyz')
  expect(unready.status).toBe(503)
  expect(await unready.json()).toMatchObject({ obstacles: { sfu: 'no worker' } })
  health.ready('sfu')
  expect((await get('/readyz')).status).toBe(200)
  expect(await (await get('/metrics')).text()).toContain('parley_things_total 3')
  expect((await get('/other')).status).toBe(404)
  await operations.close()
})

test('a port in use is said in words that name the key', async () => {
  const first = createServer()
  const port = await listen(first, LOCAL, 'PARLEY_METRICS')
  await expect(listen(createServer(), { ...LOCAL, port }, 'PARLEY_METRICS')).rejects.toThrow(
    /already in use.*PARLEY_METRICS/,
  )
  first.close()
})

test('the announced address is an interface, loopback only where there is no other', () => {
  const loopback = { address: '127.0.0.1', family: 'IPv4', internal: true } as const
  const lan = { address: '192.0.2.7', family: 'IPv4', internal: false } as const
  const details = { netmask: '', mac: '', cidr: null }
  const lo = [{ ...loopback, ...details }]
  expect(findPublicAddress({ lo, eth0: [{ ...lan, ...details }] })).toBe('192.0.2.7')
  expect(findPublicAddress({ lo })).toBe('127.0.0.1')
})
