import type { Attr, Parsed } from '../stun-bytes.ts'
import {
  attr,
  byte,
  codeOf,
  find,
  messageClass,
  method,
  newId,
  number32,
  readXorAddress,
} from '../stun-bytes.ts'
import type { Check, Client, Trial } from '../trial.ts'
import { NotApplicable, equal, holds, oneOf, udp } from '../trial.ts'

const V4 = 1
const V6 = 2
const unknown: Attr = [0x7fff, Buffer.alloc(4)]

/** Allocate and Refresh. Checks 24 to 48, 84 and 85. */
export const allocationChecks: readonly Check[] = [
  {
    number: 24,
    title: 'Allocate: relayed and mapped address, 600 s, no token',
    run: async (trial) => {
      const client = await trial.client()
      const answer = await client.allocate()
      equal(answer.type, method.allocate | messageClass.success, 'type')
      equal(client.relayed.host, '127.0.0.1', 'relayed host')
      equal(lifetimeOf(answer), 600, 'LIFETIME')
      const mapped = find(answer, attr.xorMappedAddress)
      holds(mapped !== undefined, 'it has XOR-MAPPED-ADDRESS')
      equal(find(answer, attr.reservationToken), undefined, 'RESERVATION-TOKEN')
    },
  },
  {
    number: 25,
    title: 'LIFETIME of an Allocate: 10 → 600, 1800 → 1800, 100000 → 3600 at most, 3 bytes → 400',
    run: async (trial) => {
      for (const [asked, least, most] of [
        [10, 600, 600],
        [1_800, 1_800, 1_800],
        [100_000, 600, 3_600],
      ] as const) {
        const client = await trial.client()
        const got = lifetimeOf(await client.allocate([number32(attr.lifetime, asked)]))
        holds(got >= least && got <= most, `${asked} → ${got}`)
      }
      await expectCode(trial, [[attr.lifetime, Buffer.alloc(3)]], 400)
    },
  },
  {
    number: 26,
    title: 'a retransmitted Allocate gets the same answer',
    transports: ['udp'],
    run: async (trial) => {
      const client = await trial.client()
      await client.challenge()
      const id = newId()
      const first = await client.signed(method.allocate, [udp], { id })
      const second = await client.signed(method.allocate, [udp], { id })
      equal([codeOf(first), codeOf(second)], [0, 0], 'codes')
      equal(relayOf(second), relayOf(first), 'relayed address')
    },
  },
  {
    number: 27,
    title: 'a second Allocate on the 5-tuple: 437, and the first lives on',
    run: async (trial) => {
      const client = await trial.allocated()
      equal(await client.code(method.allocate, [udp]), 437, 'code')
      equal(await client.code(method.refresh), 0, 'Refresh')
    },
  },
  {
    number: 28,
    title: 'REQUESTED-TRANSPORT missing or malformed: 400',
    run: async (trial) => {
      const client = await trial.client()
      equal(await client.code(method.allocate), 400, 'missing')
      const short: Attr = [attr.requestedTransport, Buffer.alloc(3, 17)]
      equal(await client.code(method.allocate, [short]), 400, '3 bytes')
    },
  },
  {
    number: 29,
    title: 'protocols 1, 50, 132: 442; 6 too, without RFC 6062',
    run: async (trial) => {
      for (const protocol of [1, 50, 132, 6]) {
        const client = await trial.client()
        const attrs = [byte(attr.requestedTransport, protocol)]
        const code = await client.code(method.allocate, attrs)
        const isTcp = protocol === 6
        oneOf(code, isTcp ? [442, trial.transport === 'udp' ? 400 : 0] : [442], String(protocol))
      }
    },
  },
  {
    number: 31,
    title: 'DONT-FRAGMENT: served, or 420 that names it',
    run: async (trial) => {
      const client = await trial.client()
      const answer = await client.signed(method.allocate, [
        udp,
        [attr.dontFragment, Buffer.alloc(0)],
      ])
      oneOf(codeOf(answer), [0, 420], 'code')
      if (codeOf(answer) === 420) equal(named(answer), attr.dontFragment, 'attribute')
    },
  },
  {
    number: 32,
    title: 'an unknown required attribute: 420, and nothing changes',
    run: async (trial) => {
      const client = await trial.client()
      equal(await client.code(method.allocate, [udp, unknown]), 420, 'Allocate')
      await client.allocate()
      const answer = await client.signed(method.refresh, [number32(attr.lifetime, 0), unknown])
      equal(codeOf(answer), 420, 'Refresh')
      equal(named(answer), 0x7fff, 'attribute')
      equal(await client.code(method.createPermission, [unknown]), 420, 'CreatePermission')
      equal(await client.code(method.channelBind, [unknown]), 420, 'ChannelBind')
      equal(await client.code(method.refresh), 0, 'Refresh afterwards')
    },
  },
  {
    number: 33,
    title: 'REQUESTED-ADDRESS-FAMILY: IPv4; IPv6 or 440; 440; 400',
    run: async (trial) => {
      const v4 = await trial.client()
      await v4.allocate([byte(attr.requestedAddressFamily, V4)])
      equal(v4.relayed.host, '127.0.0.1', 'IPv4')
      const v6 = await trial.client()
      const code = await v6.code(method.allocate, [udp, byte(attr.requestedAddressFamily, V6)])
      equal(code, trial.subject.hasIpv6 ? 0 : 440, 'IPv6')
      await expectCode(trial, [byte(attr.requestedAddressFamily, 3)], 440)
      await expectCode(trial, [[attr.requestedAddressFamily, Buffer.alloc(3)]], 400)
    },
  },
  {
    number: 34,
    title: 'no family: an IPv4 relay',
    run: async (trial) => {
      const client = await trial.allocated()
      holds(!client.relayed.host.includes(':'), 'the relay is IPv4')
    },
  },
  {
    number: 35,
    title:
      'ADDITIONAL-ADDRESS-FAMILY: 400 with a family or for IPv4; two relays, or one and the reason',
    run: async (trial) => {
      const additional = (family: number) => byte(attr.additionalAddressFamily, family)
      await expectCode(trial, [byte(attr.requestedAddressFamily, V4), additional(V6)], 400)
      await expectCode(trial, [additional(V4)], 400)
      await expectCode(trial, [additional(V6), [attr.evenPort, Buffer.from([0x80])]], 400)
      const client = await trial.client()
      const answer = await client.signed(method.allocate, [udp, additional(V6)])
      equal(codeOf(answer), 0, 'code')
      const relays = answer.attrs.filter(([type]) => type === attr.xorRelayedAddress).length
      const refused = find(answer, attr.addressErrorCode) !== undefined
      holds(relays === 2 || (relays === 1 && refused), `${relays} relays`)
    },
  },
  {
    number: 36,
    title: 'EVEN-PORT: an even port each time, none is lost',
    run: async (trial) => {
      const client = await trial.client()
      for (let round = 0; round < 20; round++) {
        await client.allocate([[attr.evenPort, Buffer.from([0])]])
        equal(client.relayed.port % 2, 0, 'parity')
        equal(await client.code(method.refresh, [number32(attr.lifetime, 0)]), 0, 'release')
      }
    },
  },
  {
    number: 37,
    title: 'EVEN-PORT with R: a token for the next port, once',
    run: async (trial) => {
      const client = await trial.client()
      const answer = await client.allocate([[attr.evenPort, Buffer.from([0x80])]])
      const token = find(answer, attr.reservationToken)
      equal(token?.length, 8, 'length of the token')
      if (!token) return
      const second = await trial.client()
      await second.allocate([[attr.reservationToken, token]])
      equal(second.relayed.port, client.relayed.port + 1, 'port')
      const third = await trial.client()
      const again = await third.code(method.allocate, [udp, [attr.reservationToken, token]])
      equal(again, 508, 'code of its second use')
    },
  },
  {
    number: 38,
    title: 'RESERVATION-TOKEN with EVEN-PORT or a family: 400; bogus: 508; 7 bytes: 400',
    run: async (trial) => {
      const token: Attr = [attr.reservationToken, Buffer.alloc(8, 7)]
      await expectCode(trial, [token, [attr.evenPort, Buffer.from([0])]], 400)
      await expectCode(trial, [token, byte(attr.requestedAddressFamily, V4)], 400)
      await expectCode(trial, [token, byte(attr.additionalAddressFamily, V6)], 400)
      await expectCode(trial, [token], 508)
      await expectCode(trial, [[attr.reservationToken, Buffer.alloc(7)]], 400)
    },
  },
  {
    number: 39,
    title: 'user quota: 486, until an allocation is released',
    run: async (trial) => {
      const { userQuota } = trial.subject
      if (userQuota === undefined) throw new NotApplicable('no quota configured')
      const clients: Client[] = []
      for (let i = 0; i < userQuota; i++) clients.push(await trial.allocated(trial.ownUser))
      const last = await trial.client(trial.ownUser)
      equal(await last.code(method.allocate, [udp]), 486, 'code')
      await clients[0]?.code(method.refresh, [number32(attr.lifetime, 0)])
      equal(await last.code(method.allocate, [udp]), 0, 'code afterwards')
    },
  },
  {
    number: 43,
    title: 'Refresh to 0: LIFETIME 0, then 437',
    run: async (trial) => {
      const client = await trial.allocated()
      const answer = await client.signed(method.refresh, [number32(attr.lifetime, 0)])
      equal(answer.type, method.refresh | messageClass.success, 'type')
      equal(lifetimeOf(answer), 0, 'LIFETIME')
      equal(await client.code(method.refresh), 437, 'Refresh afterwards')
    },
  },
  {
    number: 44,
    title: 'Refresh: 10 → 600, 3600 → 3600, none → 600',
    run: async (trial) => {
      const client = await trial.allocated()
      for (const [asked, granted] of [
        [10, 600],
        [3_600, 3_600],
        [undefined, 600],
      ] as const) {
        const attrs = asked === undefined ? [] : [number32(attr.lifetime, asked)]
        equal(lifetimeOf(await client.signed(method.refresh, attrs)), granted, `${asked}`)
      }
    },
  },
  {
    number: 45,
    title: "Refresh naming a family that is not the allocation's: 443",
    run: async (trial) => {
      const client = await trial.allocated()
      const code = await client.code(method.refresh, [byte(attr.requestedAddressFamily, V6)])
      equal(code, 443, 'code')
    },
  },
  {
    number: 77,
    title: "a stream client's allocation ends with its connection",
    transports: ['tcp', 'tls'],
    run: async (trial) => {
      const { userQuota } = trial.subject
      if (userQuota === undefined) throw new NotApplicable('no quota configured')
      const clients: Client[] = []
      for (let i = 0; i < userQuota; i++) clients.push(await trial.allocated(trial.ownUser))
      clients[0]?.carrier.close()
      const next = await trial.client(trial.ownUser)
      // The server hears of the end some time after us.
      for (let attempt = 0; attempt < 200; attempt++) {
        if ((await next.code(method.allocate, [udp])) === 0) return
      }
      throw new Error('its quota was not freed')
    },
  },
]

async function expectCode(trial: Trial, attrs: readonly Attr[], code: number): Promise<void> {
  const client = await trial.client()
  const got = await client.code(method.allocate, [udp, ...attrs])
  equal(got, code, `code for ${attrs.map(([type]) => `0x${type.toString(16)}`).join(' and ')}`)
}

function lifetimeOf(answer: Parsed): number {
  const value = find(answer, attr.lifetime)
  if (!value) throw new Error('no LIFETIME')
  return value.readUInt32BE()
}

function relayOf(answer: Parsed) {
  const value = find(answer, attr.xorRelayedAddress)
  return value && readXorAddress(value, answer.id)
}

function named(answer: Parsed): number | undefined {
  return find(answer, attr.unknownAttributes)?.readUInt16BE(0)
}
