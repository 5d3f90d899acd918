import type { Attr, Parsed } from '../stun-bytes.ts'
import {
  attr,
  build,
  byte,
  codeOf,
  find,
  longTermKey,
  messageClass,
  method,
  parse,
  text,
} from '../stun-bytes.ts'
import { createHash } from 'node:crypto'
import type { Check, Client } from '../trial.ts'
import { NotApplicable, equal, holds, oneOf, signedBy, udp } from '../trial.ts'
import { verifies } from '../stun-bytes.ts'

const COOKIE = 'obMatJos2'
const SHA256 = 2
const MD5 = 1

/** Long-term credentials, by RFC 8489 and by the one before. Checks 9 to 23, 46 and 47. */
export const authenticationChecks: readonly Check[] = [
  {
    number: 9,
    title: 'Allocate without credentials: 401 with REALM and NONCE, unsigned',
    run: async (trial) => {
      const client = await trial.client()
      const answer = await client.ask({ type: method.allocate, attrs: [udp] })
      equal(answer.type, method.allocate | messageClass.error, 'type')
      equal(codeOf(answer), 401, 'code')
      holds(find(answer, attr.realm) !== undefined, 'it has REALM')
      holds(find(answer, attr.nonce) !== undefined, 'it has NONCE')
      equal(find(answer, attr.integrity), undefined, 'MESSAGE-INTEGRITY')
      equal(find(answer, attr.username), undefined, 'USERNAME')
    },
  },
  {
    number: 10,
    title: 'signed without USERNAME, REALM or NONCE: 400 without a challenge',
    run: async (trial) => {
      const client = await trial.client()
      await client.challenge()
      for (const missing of [attr.username, attr.realm, attr.nonce]) {
        const attrs = [udp, ...client.identity().filter(([type]) => type !== missing)]
        const answer = await client.ask({ type: method.allocate, attrs, key: client.key })
        equal(codeOf(answer), 400, `code without ${missing}`)
        equal(find(answer, attr.nonce), undefined, 'NONCE')
      }
    },
  },
  {
    number: 11,
    title: 'unknown user and wrong password cannot be told apart: 401',
    run: async (trial) => {
      const client = await trial.client()
      await client.challenge()
      const ask = (username: string, password: string) => {
        const attrs = [udp, text(attr.username, username), ...client.identity().slice(1)]
        const key = longTermKey('md5', username, client.realm, password)
        return client.ask({ type: method.allocate, attrs, key })
      }
      const { username } = client.login
      const wrong = await ask(username, 'wrong')
      const unknown = await ask('9'.repeat(username.length), 'wrong')
      equal([codeOf(wrong), codeOf(unknown)], [401, 401], 'codes')
      equal(unknown.bytes.length, wrong.bytes.length, 'length')
    },
  },
  {
    number: 12,
    title: 'forged NONCE: 438 with one that works',
    run: async (trial) => {
      const client = await trial.client()
      await client.challenge()
      const good = client.nonce
      client.nonce = `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`
      await expectStale(client)
    },
  },
  {
    number: 13,
    title: 'bad integrity and bad nonce: 401 or 438',
    run: async (trial) => {
      const client = await trial.client()
      await client.challenge()
      client.nonce = 'forged'
      const key = Buffer.alloc(16)
      oneOf(await client.code(method.allocate, [udp], { key }), [401, 438], 'code')
    },
  },
  {
    number: 14,
    title: "another port's NONCE: 438",
    run: async (trial) => {
      const other = await trial.client()
      const client = await trial.client()
      await other.challenge()
      client.nonce = other.nonce
      await expectStale(client)
    },
  },
  {
    number: 15,
    title: 'a byte flipped before MESSAGE-INTEGRITY: 401',
    run: async (trial) => {
      const client = await trial.client()
      await client.challenge()
      const attrs = [udp, ...client.identity()]
      const bytes = build({ type: method.allocate, attrs, key: client.key })
      bytes[20 + 4] = 18
      client.send(bytes)
      equal(codeOf(parse(await client.carrier.next())), 401, 'code')
    },
  },
  {
    number: 16,
    title: 'what is authenticated is answered signed, be it an error',
    run: async (trial) => {
      const client = await trial.client()
      signedBy(await client.allocate(), client)
      signedBy(await client.signed(method.refresh), client)
      const error = await client.signed(method.channelBind)
      equal(codeOf(error), 400, 'code of a ChannelBind without channel')
      signedBy(error, client)
    },
  },
  {
    number: 17,
    title: 'PASSWORD-ALGORITHM SHA-256 and MESSAGE-INTEGRITY-SHA256',
    run: async (trial) => {
      const { client, offered } = await modern(trial)
      const answer = await askModern(client, [offered, algorithm(SHA256)])
      equal(codeOf(answer), 0, 'code')
      holds(verifies(answer, sha256Key(client), 'sha256'), 'signed with SHA-256')
      equal(find(answer, attr.integrity), undefined, 'MESSAGE-INTEGRITY')
    },
  },
  {
    number: 18,
    title: 'bid down: PASSWORD-ALGORITHMS altered, or missing, or not choosing from it: 400',
    run: async (trial) => {
      const { client, offered } = await modern(trial)
      const onlyMd5: Attr = [attr.passwordAlgorithms, Buffer.from([0, MD5, 0, 0])]
      const wrong: readonly (readonly Attr[])[] = [
        [onlyMd5, algorithm(SHA256)],
        [algorithm(SHA256)],
        [offered, algorithm(7)],
      ]
      for (const attrs of wrong) equal(codeOf(await askModern(client, attrs)), 400, 'code')
    },
  },
  {
    number: 19,
    title: 'bid down: features taken out of the NONCE: 438 or 401',
    run: async (trial) => {
      const { client } = await modern(trial)
      const nonce = client.nonce
      for (const spoilt of [`${COOKIE}AAAA${nonce.slice(13)}`, nonce.slice(13)]) {
        client.nonce = spoilt
        oneOf(await client.code(method.allocate, [udp]), [401, 438], 'code')
      }
    },
  },
  {
    number: 20,
    title: 'the feature bits of the NONCE count from the right',
    run: async (trial) => {
      const { client } = await modern(trial)
      const bits = Buffer.from(client.nonce.slice(9, 13), 'base64')
      equal([bits[0], bits[1]], [0, 0], 'reserved bits')
      holds(((bits[2] ?? 0) & 1) === 1, 'bit 0, password algorithms, is set')
    },
  },
  {
    number: 21,
    title: 'USERHASH: a known one is served, an unknown one gets 401',
    run: async (trial) => {
      const { client, offered } = await modern(trial)
      const bits = Buffer.from(client.nonce.slice(9, 13), 'base64')
      if (((bits[2] ?? 0) & 2) === 0) throw new NotApplicable('not offered to REST users')
      const hash = (name: string): Attr => [
        attr.userHash,
        createHash('sha256').update(`${name}:${client.realm}`).digest(),
      ]
      const ask = (name: string) =>
        client.ask({
          type: method.allocate,
          attrs: [udp, hash(name), ...client.identity().slice(1), offered, algorithm(SHA256)],
          sha256: { key: sha256Key(client) },
        })
      equal(codeOf(await ask('nobody')), 401, 'code of an unknown hash')
      equal(codeOf(await ask(client.login.username)), 0, 'code')
    },
  },
  {
    number: 22,
    title: 'MESSAGE-INTEGRITY-SHA256 of 12 bytes is never accepted',
    run: async (trial) => {
      const { client, offered } = await modern(trial)
      const answer = await askModern(client, [offered, algorithm(SHA256)], 12)
      holds(codeOf(answer) !== 0, 'it is an error')
    },
  },
  {
    number: 23,
    title: 'REST credentials: good, expired, malformed, of an older and an unknown secret',
    run: async (trial) => {
      const { subject } = trial
      if (!subject.restLogin) throw new NotApplicable('no REST credentials')
      const now = Math.floor(Date.now() / 1000)
      const cases = [
        [`${now + 600}:carol`, 'newest', 0],
        [`${now + 600}:carol`, 'older', 0],
        [`${now + 600}:carol`, 'unknown', 401],
        [`${now - 2}:carol`, 'newest', 401],
        ['carol', 'newest', 401],
        ['soon:carol', 'newest', 401],
      ] as const
      for (const [username, secret, code] of cases) {
        const client = await trial.clientOf(subject.restLogin(username, secret))
        equal(await client.code(method.allocate, [udp]), code, `${username}, ${secret} secret`)
      }
    },
  },
  {
    number: 46,
    title: 'Refresh, CreatePermission and ChannelBind without an allocation: 437',
    run: async (trial) => {
      const client = await trial.client()
      const peer = { host: '127.0.0.1', port: 9 }
      equal(await client.code(method.refresh), 437, 'Refresh')
      equal(await client.permit(peer), 437, 'CreatePermission')
      equal(await client.bind(0x4000, peer), 437, 'ChannelBind')
    },
  },
  {
    number: 47,
    title: "another user on an allocation's 5-tuple: 441",
    run: async (trial) => {
      const client = await trial.allocated()
      const other = trial.subject.login(trial.ownUser)
      if (!other) throw new NotApplicable('knows one user only')
      const attrs = [text(attr.username, other.username), ...client.identity().slice(1)]
      const key = longTermKey('md5', other.username, client.realm, other.password)
      const answer = await client.ask({ type: method.refresh, attrs, key })
      equal(codeOf(answer), 441, 'code')
      equal(await client.code(method.refresh), 0, "the owner's Refresh")
    },
  },
]

async function expectStale(client: Client): Promise<void> {
  const answer = await client.signed(method.allocate, [udp])
  equal(codeOf(answer), 438, 'code')
  const fresh = find(answer, attr.nonce)
  holds(find(answer, attr.realm) !== undefined && fresh !== undefined, 'it has REALM and NONCE')
  client.nonce = String(fresh)
  equal(await client.code(method.allocate, [udp]), 0, 'code with the new nonce')
}

/** A client that was offered password algorithms; the server must offer them. */
async function modern(trial: Parameters<Check['run']>[0]) {
  const client = await trial.client()
  const answer = await client.ask({ type: method.allocate, attrs: [udp] })
  const offered = find(answer, attr.passwordAlgorithms)
  client.nonce = String(find(answer, attr.nonce))
  client.realm = String(find(answer, attr.realm))
  if (!offered || !client.nonce.startsWith(COOKIE)) throw new Error('no PASSWORD-ALGORITHMS')
  return { client, offered: [attr.passwordAlgorithms, offered] as const }
}

function askModern(client: Client, attrs: readonly Attr[], bytes = 32): Promise<Parsed> {
  return client.ask({
    type: method.allocate,
    attrs: [udp, ...client.identity(), ...attrs],
    sha256: { key: sha256Key(client), bytes },
  })
}

function sha256Key({ login, realm }: Client): Buffer {
  return longTermKey('sha256', login.username, realm, login.password)
}

function algorithm(number: number): Attr {
  const [type, value] = byte(attr.passwordAlgorithm, 0)
  value[1] = number
  return [type, value]
}
