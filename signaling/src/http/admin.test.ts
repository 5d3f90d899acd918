import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail, ok, userIdSchema } from '@parley/protocol'
import { createLog, Secret } from '@parley/service'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AdminDoor } from '../admin-door.ts'
import { CallReporter } from '../call-reporter.ts'
import { memoryCallRecords } from '../store/call-records.ts'
import type { CallRecords } from '../store/call-records.ts'
import { answerAdmin } from './admin.ts'
import type { AdminSources } from './admin.ts'
import { adminOperations } from './admin-operations.ts'

const SECRET = 'only operators know this one'
const AUTHORIZED = { authorization: `Bearer ${SECRET}` }
const RUNS = { numRuns: 1_000, seed: 11 }

/** Names of calls, people and sessions, and what nobody is called. */
const name = fc.oneof(
  fc.constantFrom('c1', 'alice', '__proto__', 'constructor', '..', '%', '%ff', '%2F', 'a%20b'),
  fc.string({ maxLength: 80 }).map((text) => encodeURIComponent(text.toWellFormed())),
  fc.string({ maxLength: 20 }),
)
const query = fc.oneof(
  fc.constant(''),
  fc
    .dictionary(
      fc.constantFrom('user', 'before', 'limit', '__proto__', 'x'),
      fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom('', '-1', '1e999', 'NaN')),
    )
    .map((all) => `?${new URLSearchParams(Object.entries(all)).toString()}`),
  fc.string({ maxLength: 40 }).map((text) => `?${text}`),
)
/** Paths of the document with anything in their places, and others. */
const path = fc.oneof(
  fc
    .tuple(fc.constantFrom(...Object.values(adminOperations).map((one) => one.path)), name)
    .map(([template, text]) => template.replaceAll(/\{\w+\}/g, () => text)),
  fc.string({ maxLength: 60 }).map((text) => `/admin/${text}`),
  fc.string({ maxLength: 60 }),
)
const method = fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'x', undefined)

test('every path and query has an answer of its own, whoever asks for it', async () => {
  await fc.assert(
    fc.asyncProperty(method, path, query, async (verb, at, rest) => {
      const answer = await ask(verb, at + rest, AUTHORIZED, sources())
      expect([undefined, 200, 400, 404]).toContain(answer.status)
      const { error } = (answer.body ?? {}) as { error?: { code?: unknown } }
      if (answer.status !== undefined && answer.status >= 400)
        expect(error?.code).toBeTypeOf('string')
      expect(error?.code).not.toBe('internal')
    }),
    RUNS,
  )
})

test('nothing is looked up for who does not know the secret', async () => {
  const guess = fc.oneof(
    fc.constant(undefined),
    fc.string().map((text) => `Bearer ${text}`),
    fc.constantFrom('Bearer', `Basic ${SECRET}`, `Bearer ${SECRET.toUpperCase()}`, SECRET),
  )
  await fc.assert(
    fc.asyncProperty(method, path, query, guess, async (verb, at, rest, authorization) => {
      const headers = authorization === undefined ? {} : { authorization }
      const { status } = await ask(verb, at + rest, headers, untouchable)
      // The document is for everybody.
      if (status !== 200) expect([undefined, 401]).toContain(status)
    }),
    RUNS,
  )
})

test('while the store is away that is what the answer says', async () => {
  const away = () => Promise.resolve(fail('store-unavailable'))
  const records: CallRecords = { put: away, find: away, list: away }
  const without = { ...sources(), records, erase: away }
  for (const [verb, at] of [
    ['GET', '/admin/v1/records'],
    ['GET', '/admin/v1/records/c1'],
    ['DELETE', '/admin/v1/users/alice/mailbox'],
  ] as const) {
    expect(await ask(verb, at, AUTHORIZED, without)).toMatchObject({
      status: 503,
      body: { error: { code: 'store-unavailable', retryable: true } },
    })
  }
})

async function ask(
  verb: string | undefined,
  url: string,
  headers: Readonly<Record<string, string>>,
  from: AdminSources,
): Promise<{ status: number | undefined; body: unknown }> {
  const told: { status: number | undefined; body: unknown } = { status: undefined, body: undefined }
  const response = {
    writeHead(status: number) {
      told.status = status
      return response
    },
    end(text: string) {
      told.body = JSON.parse(text)
    },
  }
  // What of Node's objects is looked at.
  const request = { method: verb, url, headers } as unknown as IncomingMessage
  const taken = await answerAdmin(request, response as unknown as ServerResponse, from)
  expect(taken).toBe(told.status !== undefined)
  return told
}

function sources(): AdminSources {
  const records = memoryCallRecords(1_000)
  const log = createLog('test', { level: 'silent' })
  const hub: AdminDoor = {
    view: () => undefined,
    endCall: (call) => call === 'c1',
    removeParticipant: () => false,
    sessions: () => [],
    endSession: () => false,
    presenceOf: (user) => ({ user, status: 'offline' }),
  }
  return {
    secret: new Secret(SECRET),
    hub,
    records,
    reporter: new CallReporter({ log, records, tellApp: () => undefined }),
    erase: (user) => {
      expect(userIdSchema.safeParse(user).success).toBe(true)
      return Promise.resolve(ok(undefined))
    },
    now: () => 0,
  }
}

/** Throws for whoever looks at more than the secret. */
const untouchable = new Proxy(sources(), {
  get: (known, key) => {
    if (key === 'secret') return known.secret
    throw new Error(`${String(key)} was looked at`)
  },
})
