import { openCarrier } from '../carrier.ts'
import type { Attr } from '../stun-bytes.ts'
import {
  attr,
  build,
  codeOf,
  find,
  messageClass,
  method,
  newId,
  number32,
  readXorAddress,
  text,
} from '../stun-bytes.ts'
import type { Check } from '../trial.ts'
import { NotApplicable, equal, holds, udp as requestUdp } from '../trial.ts'

const binding = { type: method.binding }
const success = method.binding | messageClass.success
const none = Buffer.alloc(0)

/** Binding, and what is and is not a STUN message. Checks 1 to 8 and 78 to 82. */
export const stunChecks: readonly Check[] = [
  {
    number: 1,
    title: 'Binding gives my address',
    run: async (trial) => {
      const client = await trial.client()
      const answer = await client.ask(binding)
      equal(answer.type, success, 'type')
      const value = find(answer, attr.xorMappedAddress)
      if (!value) throw new Error('no XOR-MAPPED-ADDRESS')
      equal(
        readXorAddress(value, answer.id),
        { host: '127.0.0.1', port: client.carrier.port },
        'me',
      )
    },
  },
  {
    number: 2,
    title: 'Binding over IPv6',
    run: async (trial) => {
      if (!trial.subject.ports6) throw new NotApplicable('no IPv6 listener')
      const client = await trial.clientOverIpv6()
      const answer = await client.ask(binding)
      const value = find(answer, attr.xorMappedAddress)
      if (!value) throw new Error('no XOR-MAPPED-ADDRESS')
      equal(readXorAddress(value, answer.id), { host: '::1', port: client.carrier.port }, 'me')
    },
  },
  {
    number: 3,
    title: 'Binding with an unknown required attribute: 420 that names it',
    run: async (trial) => {
      const client = await trial.client()
      const answer = await client.ask({ ...binding, attrs: [[0x7fff, none]] })
      equal(codeOf(answer), 420, 'code')
      equal(find(answer, attr.unknownAttributes)?.readUInt16BE(0), 0x7fff, 'attribute')
    },
  },
  {
    number: 4,
    title: 'Binding with an unknown optional attribute: ignored',
    run: async (trial) => {
      const client = await trial.client()
      equal(codeOf(await client.ask({ ...binding, attrs: [[0xffff, none]] })), 0, 'code')
    },
  },
  {
    number: 5,
    title: 'Binding indication and stray response: silence',
    run: async (trial) => {
      const client = await trial.client()
      client.send(build({ type: method.binding | messageClass.indication }))
      client.send(build({ type: success }))
      await client.expectSilence()
    },
  },
  {
    number: 6,
    title: 'what is not STUN: silence',
    transports: ['udp'],
    run: async (trial) => {
      const client = await trial.client()
      const good = build(binding)
      const spoilt = (at: number, value: number) => {
        const bytes = Buffer.from(good)
        bytes[at] = value
        return bytes
      }
      client.send(spoilt(4, 0))
      client.send(spoilt(0, 0x80))
      client.send(spoilt(0, 0xc0))
      client.send(spoilt(3, 3))
      client.send(spoilt(3, 8))
      client.send(good.subarray(0, 19))
      await client.expectSilence()
    },
  },
  {
    number: 7,
    title: 'right FINGERPRINT: answered; wrong: silence',
    run: async (trial) => {
      const client = await trial.client()
      equal(codeOf(await client.ask({ ...binding, fingerprint: 'right' })), 0, 'code')
      client.send(build({ ...binding, fingerprint: 'wrong' }))
      await client.expectSilence()
    },
  },
  {
    number: 8,
    title: 'attributes after MESSAGE-INTEGRITY are ignored',
    run: async (trial) => {
      const client = await trial.allocated()
      const after: readonly Attr[] = [[0x7fff, none], number32(attr.lifetime, 0)]
      const answer = await client.signed(method.refresh, [], { after })
      equal(codeOf(answer), 0, 'code')
      equal(find(answer, attr.lifetime)?.readUInt32BE(), 600, 'LIFETIME')
    },
  },
  {
    number: 78,
    title: 'no SOFTWARE unless configured',
    run: async (trial) => {
      const client = await trial.client()
      equal(find(await client.ask(binding), attr.software), undefined, 'SOFTWARE')
    },
  },
  {
    number: 79,
    title: 'errors are well formed',
    run: async (trial) => {
      const client = await trial.client()
      const value = find(
        await client.ask({ type: method.allocate, attrs: [requestUdp] }),
        attr.errorCode,
      )
      if (!value) throw new Error('no ERROR-CODE')
      equal(value.readUInt16BE(0), 0, 'reserved bits')
      holds((value[2] ?? 0) >= 3 && (value[2] ?? 0) <= 6, 'the class is 3 to 6')
      holds((value[3] ?? 0) < 100, 'the number is below 100')
      new TextDecoder('utf-8', { fatal: true }).decode(value.subarray(4))
    },
  },
  {
    number: 80,
    title: 'CHANGE-REQUEST without RFC 5780: 420 that names it',
    run: async (trial) => {
      const client = await trial.client()
      const attrs = [number32(attr.changeRequest, 6)]
      const answer = await client.ask({ ...binding, attrs })
      equal(codeOf(answer), 420, 'code')
      equal(find(answer, attr.unknownAttributes)?.readUInt16BE(0), attr.changeRequest, 'attribute')
    },
  },
  {
    number: 81,
    title: 'MOBILITY-TICKET without RFC 8016: ignored or 405',
    run: async (trial) => {
      const client = await trial.client()
      const code = await client.code(method.allocate, [requestUdp, [attr.mobilityTicket, none]])
      holds(code === 0 || code === 405, `${code} is 0 or 405`)
    },
  },
  {
    number: 75,
    title: 'streams end at bytes that are neither STUN nor ChannelData',
    transports: ['tcp', 'tls'],
    run: async (trial) => {
      for (const first of [0x05, 0x3f, 0x50, 0x7f, 0x80, 0xff]) {
        const client = await trial.client()
        client.send(Buffer.alloc(64, first))
        await within(client.carrier.closed, `a stream that begins with ${first} is closed`)
      }
    },
  },
  {
    number: 75,
    title: 'datagrams that are neither STUN nor ChannelData: silence',
    transports: ['udp'],
    run: async (trial) => {
      const client = await trial.client()
      for (const first of [0x05, 0x3f, 0x50, 0x7f, 0x80, 0xff]) {
        client.send(Buffer.alloc(64, first))
      }
      await client.expectSilence()
    },
  },
  {
    number: 74,
    title: 'streams: byte by byte, several messages at once, STUN after ChannelData',
    transports: ['tcp', 'tls'],
    run: async (trial) => {
      const client = await trial.client()
      for (const octet of build(binding)) client.send(Buffer.from([octet]))
      equal((await client.carrier.next()).readUInt16BE(0), success, 'byte by byte')
      const ids = [newId(), newId(), newId()]
      client.send(Buffer.concat(ids.map((id) => build({ ...binding, id }))))
      for (const id of ids) equal((await client.carrier.next()).subarray(8, 20), id, 'order')
      const channelData = Buffer.from([0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0])
      client.send(Buffer.concat([channelData, build(binding)]))
      equal((await client.carrier.next()).readUInt16BE(0), success, 'after ChannelData')
    },
  },
  {
    number: 76,
    title: 'TLS with ALPN stun.turn',
    transports: ['tls'],
    run: async (trial) => {
      const port = trial.subject.ports.tls ?? 0
      const carrier = await openCarrier('tls', port)
      carrier.send(build({ ...binding, attrs: [text(attr.software, 'x')] }))
      equal((await carrier.next()).readUInt16BE(0), success, 'answer')
      carrier.close()
    },
  },
]

async function within(event: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not so: ${what}`))
    }, 5_000)
  })
  try {
    await Promise.race([event, late])
  } finally {
    clearTimeout(timer)
  }
}
