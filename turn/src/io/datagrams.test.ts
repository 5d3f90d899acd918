import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { endpoint } from '../testing.ts'
import type { DatagramPort } from '../ports.ts'
import { batchedUdp } from './batched-udp.ts'
import { HEADROOM_BYTES, MAX_SENDS } from './batched-memory.ts'
import { chooseDatagrams } from './datagrams.ts'

// Without a compiler there is one path, and it is the one that serves.
const paths = batchedUdp() ? (['pure', 'batched'] as const) : (['pure'] as const)

const opened: DatagramPort[] = []
afterEach(() => {
  for (const port of opened.splice(0)) port.close()
})

describe.each(paths)('the %s datagram port', (path) => {
  const { open } = chooseDatagrams(path)

  test.each(['127.0.0.1', '::1'])(
    'carries datagrams on %s and says who sent them',
    async (host) => {
      const a = await openEnd({ host })
      const b = await openEnd({ host })
      a.send('ping', b.port)
      expect(await b.next()).toEqual({ text: 'ping', address: a.address, port: a.port.port })
      b.send('pong', a.port)
      expect(await a.next()).toEqual({ text: 'pong', address: b.address, port: b.port.port })
    },
  )

  test('keeps the order to one destination, whatever the lengths', async () => {
    const a = await openEnd()
    const b = await openEnd()
    const texts = Array.from({ length: 60 }, (_, i) => `${i}${'x'.repeat((i * 7) % 40)}`)
    for (const text of texts) a.send(text, b.port)
    expect(await b.take(texts.length)).toEqual(texts)
  })

  test('keeps datagrams apart that have one length and one destination', async () => {
    const a = await openEnd()
    const b = await openEnd()
    const texts = Array.from({ length: 200 }, (_, i) => `datagram ${String(i).padStart(4, '0')}`)
    for (const text of texts) a.send(text, b.port)
    expect(await b.take(texts.length)).toEqual(texts)
  })

  test('sends to several destinations in turns, from several sockets', async () => {
    const senders = [await openEnd(), await openEnd()]
    const receivers = [await openEnd(), await openEnd(), await openEnd()]
    for (let round = 0; round < 20; round++) {
      for (const [s, sender] of senders.entries()) {
        for (const receiver of receivers) sender.send(`${s}/${round}`, receiver.port)
      }
    }
    for (const receiver of receivers) {
      const texts = await receiver.take(40)
      for (const s of [0, 1]) {
        const fromOne = texts.filter((text) => text.startsWith(`${s}/`))
        expect(fromOne).toEqual(Array.from({ length: 20 }, (_, round) => `${s}/${round}`))
      }
    }
  })

  test.each([0, 1, 2_047, 9_000, 65_507])('carries a datagram of %i bytes', async (length) => {
    const a = await openEnd()
    const b = await openEnd()
    a.send('x'.repeat(length), b.port)
    expect((await b.next()).text).toHaveLength(length)
  })

  test('a datagram that is too large, or goes nowhere, is lost alone', async () => {
    const a = await openEnd()
    const b = await openEnd()
    a.send('before', b.port)
    a.send('x'.repeat(65_508), b.port)
    a.send('to nobody', { port: 0 })
    a.send('to the other family', b.port, '::1')
    a.send('after', b.port)
    expect(await b.take(2)).toEqual(['before', 'after'])
  })

  test('sends a part of larger bytes', async () => {
    const a = await openEnd()
    const b = await openEnd()
    const part = { offset: 4, length: 6 }
    a.port.send(Buffer.from('not this not that'), part, endpoint('127.0.0.1', b.port.port))
    expect((await b.next()).text).toBe('this n')
  })

  test('what a receiver sends on is what it received', async () => {
    const sink = await openEnd()
    const through: DatagramPort = await open({ host: '127.0.0.1', port: 0 }, (bytes) => {
      const part = { offset: 2, length: bytes.length - 2 }
      through.send(bytes, part, endpoint('127.0.0.1', sink.port.port))
    })
    opened.push(through)
    const source = await openEnd()
    const texts = Array.from({ length: 150 }, (_, i) => `number ${i}`)
    for (const text of texts) source.send(`..${text}`, through)
    expect(await sink.take(texts.length)).toEqual(texts)
  })

  test('more than one batch may be sent in one go', async () => {
    const a = await openEnd()
    const b = await openEnd()
    const texts = Array.from({ length: 3 * MAX_SENDS + 5 }, (_, i) => `${i}`)
    for (const text of texts) a.send(text, b.port)
    expect(await b.take(texts.length)).toEqual(texts)
  })

  test('a port in use is refused with the code of the system', async () => {
    const a = await openEnd()
    const attempt = open({ host: '127.0.0.1', port: a.port.port }, () => undefined)
    await expect(attempt).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('a port that could not be opened holds no descriptor', async () => {
    const a = await openEnd()
    const before = openDescriptors()
    for (let attempt = 0; attempt < 5; attempt++) {
      await open({ host: '127.0.0.1', port: a.port.port }, () => undefined).catch(() => undefined)
    }
    await expect.poll(openDescriptors).toBeLessThanOrEqual(before)
  })

  test('an address of another machine is refused', async () => {
    const attempt = open({ host: '203.0.113.1', port: 0 }, () => undefined)
    await expect(attempt).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })

  test('a closed port is free at once, sends nothing, and closes again without harm', async () => {
    const a = await openEnd()
    const b = await openEnd()
    a.send('last words', b.port)
    a.port.close()
    a.port.close()
    expect(a.send('from the grave', b.port)).toBe(false)
    const heir = await openEnd({ port: a.port.port })
    heir.send('the heir', b.port)
    expect(await b.take(2)).toEqual(['last words', 'the heir'])
  })

  test('a receiver may close ports and open others', async () => {
    const sink = await openEnd()
    const source = await openEnd()
    for (let round = 0; round < 30; round++) {
      const once: DatagramPort = await open({ host: '127.0.0.1', port: 0 }, (bytes) => {
        once.send(bytes, { offset: 0, length: bytes.length }, endpoint('127.0.0.1', sink.port.port))
        once.close()
      })
      opened.push(once)
      source.send(`round ${round}`, once)
      source.send('too late', once)
      expect((await sink.next()).text).toBe(`round ${round}`)
    }
  })

  test('ports that agree on it share a number', async () => {
    const first = await openEnd({ isShared: true })
    const second = await openEnd({ isShared: true, port: first.port.port })
    expect(second.port.port).toBe(first.port.port)
  })

  test('one receiver that throws does not stop the others', async () => {
    const thrown: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => thrown.push(error))
    const bad = await open({ host: '127.0.0.1', port: 0 }, () => {
      throw new Error('a bug')
    })
    opened.push(bad)
    const a = await openEnd()
    const b = await openEnd()
    a.send('to the bad one', bad)
    await new Promise((resolve) => setImmediate(resolve))
    a.send('to the good one', b.port)
    expect((await b.next()).text).toBe('to the good one')
    for (const listener of listeners) process.on('uncaughtException', listener)
    expect(thrown).toMatchObject([{ message: 'a bug' }])
  })

  async function openEnd({ host = '127.0.0.1', port = 0, isShared = false } = {}) {
    const received: Datagram[] = []
    const waiting: ((datagram: Datagram) => void)[] = []
    const end = await open({ host, port, isShared }, (bytes, address, from) => {
      const datagram = { text: Buffer.from(bytes).toString(), address, port: from }
      const next = waiting.shift()
      if (next) next(datagram)
      else received.push(datagram)
    })
    opened.push(end)
    const next = () => {
      const first = received.shift()
      return first
        ? Promise.resolve(first)
        : new Promise<Datagram>((resolve) => waiting.push(resolve))
    }
    return {
      port: end,
      address: endpoint(host, 0).address,
      next,
      take: async (count: number) => {
        const texts: string[] = []
        while (texts.length < count) texts.push((await next()).text)
        return texts
      },
      send: (text: string, to: Pick<DatagramPort, 'port'>, toHost = host) => {
        const bytes = Buffer.from(text)
        return end.send(bytes, { offset: 0, length: bytes.length }, endpoint(toHost, to.port))
      },
    }
  }
})

test.runIf(paths.length > 1)('datagrams received in a batch have room before them', async () => {
  const batched = chooseDatagrams('batched')
  const before = new Promise<number>((resolve) => {
    void batched
      .open({ host: '127.0.0.1', port: 0 }, (bytes) => {
        expect(bytes.buffer).toBe(batched.scratch)
        resolve(bytes.byteOffset)
      })
      .then((port) => {
        opened.push(port)
        const bytes = Buffer.from('x')
        port.send(bytes, { offset: 0, length: 1 }, endpoint('127.0.0.1', port.port))
      })
  })
  expect(await before).toBeGreaterThanOrEqual(HEADROOM_BYTES)
})

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

interface Datagram {
  readonly text: string
  readonly address: number | string
  readonly port: number
}
