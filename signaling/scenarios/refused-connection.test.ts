import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dial, refusal, startStage, token } from './stage.ts'

let stage: Awaited<ReturnType<typeof startStage>>
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

describe.each(['json', 'msgpack'] as const)('over %s', (format) => {
  test('[AUTH-1] an expired token is refused as such, and worth another try', async () => {
    const auth = { protocol: 1, token: await token('alice', { expiresIn: '1 hour ago' }) }
    expect(await refusal(dial(stage.url, auth, format))).toMatchObject({
      code: 'token-expired',
      retryable: true,
    })
  })

  test('[AUTH-2] a forged token is refused', async () => {
    const auth = {
      protocol: 1,
      token: await token('alice', { secret: 'the wrong secret, 32 chars long' }),
    }
    expect(await refusal(dial(stage.url, auth, format))).toMatchObject({
      code: 'unauthorized',
      field: 'token',
    })
  })

  test('[AUTH-2] a token that asks for no signature is refused', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'none' })}.${part({ sub: 'alice', exp: 9e9 })}.`
    const outcome = await refusal(dial(stage.url, { protocol: 1, token: unsigned }, format))
    expect(outcome).toMatchObject({ code: 'unauthorized' })
  })

  test('[AUTH-3] another protocol version is told so', async () => {
    const outcome = await refusal(
      dial(stage.url, { protocol: 99, token: await token('alice') }, format),
    )
    expect(outcome).toMatchObject({ code: 'protocol-version', field: 'protocol' })
  })

  test.each([
    [{}],
    [{ protocol: 1 }],
    [{ protocol: 1, token: 7 }],
    [{ protocol: 1, token: 'x'.repeat(9_000) }],
  ])('[AUTH-4] a handshake of the wrong shape is refused: %j', async (auth) => {
    expect(await refusal(dial(stage.url, auth, format))).toMatchObject({ code: 'bad-request' })
  })
})
