import { describe, expect, it } from 'vitest'
import { decodeSframeHeader, encodeSframeHeader } from '../core/frames/sframe-header.ts'
import {
  AES_128_GCM,
  deriveFrameKey,
  importBaseKey,
  openSframe,
  sealSframe,
} from './frame-cipher.ts'
import type { CipherSuite } from './frame-cipher.ts'
// The vectors of RFC 9605; KID and CTR are in quotes, since JSON's numbers would round them.
import vectors from './testdata/rfc9605.json' with { type: 'json' }

const suites: Readonly<Record<number, CipherSuite>> = {
  4: AES_128_GCM,
  5: { number: 5, hash: 'SHA-512', keyBits: 256 },
}

describe('the vectors of RFC 9605', () => {
  it.each(vectors.header)('header: kid $kid, ctr $ctr', ({ kid, ctr, encoded }) => {
    const header = { kid: BigInt(kid), ctr: BigInt(ctr) }
    expect(hex(encodeSframeHeader(header))).toBe(encoded)
    expect(decodeSframeHeader(bytes(`${encoded}ff`))).toEqual({
      ...header,
      length: encoded.length / 2,
    })
  })

  it.each(vectors.sframe)('suite $cipher_suite', async (vector) => {
    const suite = suites[vector.cipher_suite]
    const base = await importBaseKey(bytes(vector.base_key))
    const header = { kid: BigInt(vector.kid), ctr: BigInt(vector.ctr) }
    const key = await deriveFrameKey(base, header.kid, suite)
    expect(hex(key.salt)).toBe(vector.sframe_salt)
    const metadata = bytes(vector.metadata)
    const sframe = await sealSframe(key, header, { metadata, secret: bytes(vector.pt) })
    expect(hex(sframe)).toBe(vector.ct)
    const read = decodeSframeHeader(sframe)
    const opened = read && (await openSframe(key, read, { metadata, sframe }))
    expect(hex(opened ?? new Uint8Array())).toBe(vector.pt)
  })

  it('covers all of the header vectors', () => {
    expect(vectors.header).toHaveLength(289)
  })
})

it('gives keys that nobody can take out', async () => {
  const base = await importBaseKey(new Uint8Array(16))
  const { aead } = await deriveFrameKey(base, 1n)
  expect(base.extractable).toBe(false)
  expect(aead.extractable).toBe(false)
})

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)))
}

function hex(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
