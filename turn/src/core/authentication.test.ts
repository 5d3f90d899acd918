import { describe, expect, test } from 'vitest'
import { codeOf, modernScheme, mustDecode, plainScheme } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import type { VirtualClient } from '../testing-network.ts'
import type { Attribute, PasswordAlgorithm } from '../wire/index.ts'
import {
  NONCE,
  PASSWORD_ALGORITHM,
  PASSWORD_ALGORITHMS,
  REALM,
  USERNAME,
  attributeValue,
  classes,
  credentialText,
  encodeMessage,
  isIntact,
  lifetime,
  longTermKey,
  methods,
  passwordAlgorithm,
  passwordAlgorithms,
  requestedTransport,
  userHash,
} from '../wire/index.ts'

const bob = { name: 'bob', password: 'builder' }

describe('RFC 8489 credentials', () => {
  test('a challenge offers SHA-256 and MD5, and its nonce says so', () => {
    const client = new VirtualTurn().client(40_000)
    const [answer = new Uint8Array()] = client.send(client.dialogue.allocate())
    const message = mustDecode(answer)
    const offered = attributeValue(message, PASSWORD_ALGORITHMS)
    expect(Buffer.from(offered ?? []).toString('hex')).toBe('0002000000010000')
    expect(nonceOf(answer)).toMatch(/^obMatJos2AAAB/)
  })

  test('a client that takes SHA-256 is answered with MESSAGE-INTEGRITY-SHA256 alone', () => {
    const client = new VirtualTurn().client(40_000)
    client.dialogue.scheme = modernScheme
    const answer = client.converse((d) => d.allocate())
    expect(codeOf(answer)).toBe(0)
    expect(answer.integrityOffset).toBeUndefined()
    const offset = answer.sha256IntegrityOffset ?? 0
    expect(isIntact(answer.bytes, offset, client.dialogue.key, 'sha256')).toBe(true)
    expect(client.ask((d) => d.request(methods.refresh, [lifetime(900)]))).toBe(0)
    const refused = client.converse((d) => d.allocate())
    expect(codeOf(refused)).toBe(437)
    expect(
      isIntact(refused.bytes, refused.sha256IntegrityOffset ?? 0, client.dialogue.key, 'sha256'),
    ).toBe(true)
  })

  test.each<[PasswordAlgorithm, 'sha1' | 'sha256']>([
    ['md5', 'sha1'],
    ['md5', 'sha256'],
    ['sha256', 'sha1'],
  ])('a key of %s and an integrity of %s go together', (algorithm, hash) => {
    const client = new VirtualTurn().client(40_000)
    client.dialogue.scheme = { algorithm, hash, namesItselfBy: 'username' }
    expect(client.ask((d) => d.allocate())).toBe(0)
  })

  test('a running allocation may be refreshed with either algorithm', () => {
    const client = new VirtualTurn().client(40_000)
    client.allocate()
    client.dialogue.scheme = modernScheme
    client.getChallenged()
    expect(client.ask((d) => d.request(methods.refresh))).toBe(0)
    client.dialogue.scheme = plainScheme
    expect(client.ask((d) => d.request(methods.refresh))).toBe(0)
  })

  test.each<[string, readonly Attribute[]]>([
    ['a list cut down to MD5', [passwordAlgorithms(['md5']), passwordAlgorithm('md5')]],
    ['a list in another order', [passwordAlgorithms(['md5', 'sha256']), passwordAlgorithm('md5')]],
    ['a choice without the list', [passwordAlgorithm('sha256')]],
    ['the list without a choice', [passwordAlgorithms(['sha256', 'md5'])]],
    [
      'a choice that is not in the list',
      [
        passwordAlgorithms(['sha256', 'md5']),
        { type: PASSWORD_ALGORITHM, value: Uint8Array.of(0, 3, 0, 0) },
      ],
    ],
  ])('%s is malformed', (_name, algorithms) => {
    const client = new VirtualTurn().client(40_000).getChallenged()
    expect(codeOf(ask(client, [...identityOf(client), ...algorithms]))).toBe(400)
  })

  test('a nonce without its features is stale, so nobody can bid a client down', () => {
    const client = new VirtualTurn().client(40_000).getChallenged()
    const { nonce = '' } = client.dialogue
    for (const forged of [nonce.replace('AAAB', 'AAAA'), nonce.slice('obMatJos2AAAB'.length)]) {
      client.dialogue.useNonce(forged)
      const [answer = new Uint8Array()] = client.send(client.dialogue.allocate())
      expect(codeOf(mustDecode(answer))).toBe(438)
    }
  })
})

describe('USERHASH', () => {
  test('names a user of the list, and is offered where there is only the list', () => {
    const turn = new VirtualTurn({ users: [bob], secrets: [] })
    const client = turn.client(40_000, { user: 'bob', password: 'builder' })
    client.dialogue.scheme = { ...modernScheme, namesItselfBy: 'userHash' }
    expect(client.ask((d) => d.allocate())).toBe(0)
    expect(client.dialogue.nonce).toMatch(/^obMatJos2AAAD/)
    expect(turn.server.sessions().map(({ user }) => user)).toEqual(['bob'])
  })

  test('of nobody, or with another password, is refused as an unknown name is', () => {
    const turn = new VirtualTurn({ users: [bob], secrets: [] })
    for (const [user, password] of [
      ['rob', 'builder'],
      ['bob', 'wrong'],
    ] as const) {
      const client = turn.client(40_000, { user, password })
      client.dialogue.scheme = { ...modernScheme, namesItselfBy: 'userHash' }
      expect(client.ask((d) => d.allocate())).toBe(401)
    }
  })

  test('is not offered with expiring names, yet an allocation is found by it', () => {
    const turn = new VirtualTurn({ users: [bob] })
    const stranger = turn.client(40_000)
    stranger.dialogue.scheme = { ...modernScheme, namesItselfBy: 'userHash' }
    expect(stranger.ask((d) => d.allocate())).toBe(401)
    expect(stranger.dialogue.nonce).toMatch(/^obMatJos2AAAB/)
    const client = turn.client(40_001)
    client.allocate()
    client.dialogue.scheme = { ...plainScheme, namesItselfBy: 'userHash' }
    expect(client.ask((d) => d.request(methods.refresh))).toBe(0)
  })

  test('beside USERNAME is malformed', () => {
    const client = new VirtualTurn({ users: [bob] }).client(40_000).getChallenged()
    expect(codeOf(ask(client, [...identityOf(client), userHash('bob', 'parley')]))).toBe(400)
  })
})

test('[S11] an unknown user and a wrong password get answers of one size and code', () => {
  const turn = new VirtualTurn({ users: [bob] })
  const answers = [
    turn.client(40_000, { user: 'bob', password: 'wrong' }),
    turn.client(40_001, { user: 'rob', password: 'wrong' }),
    turn.client(40_002, { secret: 'another' }),
  ].map((client) => {
    client.getChallenged()
    return client.send(client.dialogue.allocate())[0] ?? new Uint8Array()
  })
  expect(answers.map((bytes) => codeOf(mustDecode(bytes)))).toEqual([401, 401, 401])
  expect(new Set(answers.map((bytes) => bytes.length)).size).toBe(1)
})

describe('[S26] credentials', () => {
  test('of any secret in use are good, and of one no longer used are not', () => {
    const turn = new VirtualTurn({ secrets: ['new', 'old'] })
    expect(turn.client(1, { secret: 'new' }).ask((d) => d.allocate())).toBe(0)
    expect(turn.client(2, { secret: 'old' }).ask((d) => d.allocate())).toBe(0)
    expect(turn.client(3, { secret: 'older' }).ask((d) => d.allocate())).toBe(401)
  })

  test('that end later than the policy allows are refused', () => {
    const turn = new VirtualTurn()
    const week = 7 * 86_400
    expect(turn.client(1, { lifetimeSeconds: week }).ask((d) => d.allocate())).toBe(0)
    expect(turn.client(2, { lifetimeSeconds: week + 1 }).ask((d) => d.allocate())).toBe(401)
  })

  test('end their allocation with themselves where that is asked for', () => {
    const turn = new VirtualTurn({ config: { endsWithCredential: true } })
    const client = turn.client(1, { lifetimeSeconds: 60 })
    client.allocate()
    turn.pass({ seconds: 59 })
    expect(turn.server.allocationCount).toBe(1)
    turn.pass({ seconds: 1 })
    expect(turn.server.allocationCount).toBe(0)
    expect(client.ask((d) => d.request(methods.refresh))).toBe(401)
  })
})

/** An Allocate with exactly this identity, signed with the client's MD5 key. */
function ask(client: VirtualClient, identity: readonly Attribute[]) {
  const bytes = encodeMessage({
    method: methods.allocate,
    messageClass: classes.request,
    transactionId: new Uint8Array(12),
    attributes: [requestedTransport(17), ...identity],
    integrityKey: longTermKey(client.dialogue.username, 'parley', 'any'),
  })
  return mustDecode(client.send(bytes)[0] ?? new Uint8Array())
}

function identityOf({ dialogue }: VirtualClient): readonly Attribute[] {
  return [
    credentialText(USERNAME, dialogue.username),
    credentialText(REALM, 'parley'),
    credentialText(NONCE, dialogue.nonce ?? ''),
  ]
}

function nonceOf(bytes: Uint8Array): string {
  return Buffer.from(attributeValue(mustDecode(bytes), NONCE) ?? []).toString()
}
