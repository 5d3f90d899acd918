import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { listen } from '@parley/service'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dial, heard, refusal, startStage, token } from './stage.ts'

let stage: Awaited<ReturnType<typeof startStage>>
let provider: Server
let signingKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  signingKey = privateKey
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256' }]
  provider = createServer((_, response) => response.end(JSON.stringify({ keys })))
  const port = await listen(provider, { host: '127.0.0.1', port: 0 }, 'test')
  stage = await startStage({
    PARLEY_SECRET: '',
    PARLEY_JWKS_URL: `http://127.0.0.1:${port}/jwks.json`,
  })
})
afterAll(async () => {
  await stage.close()
  provider.close()
})

test('[AUTH-2] a token of the identity provider connects, and one that is signed otherwise does not', async () => {
  const signed = await new SignJWT({ device: 'phone' })
    .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
    .setSubject('alice')
    .setExpirationTime('1 hour')
    .sign(signingKey)
  const socket = dial(stage.url, { protocol: 1, token: signed })
  expect(await heard(socket, 'event')).toMatchObject({ data: { user: 'alice', device: 'phone' } })
  socket.close()
  const forged = dial(stage.url, { protocol: 1, token: await token('alice') })
  expect(await refusal(forged)).toMatchObject({ code: 'unauthorized', field: 'token' })
})
