import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fingerprintText, soleFingerprint } from './fingerprint.ts'

const A = Array.from({ length: 32 }, () => 'AB').join(':')
const B = Array.from({ length: 32 }, () => 'CD').join(':')
const line = (value: string, hash = 'sha-256') => `a=fingerprint:${hash} ${value}`
const sdp = (...lines: readonly string[]) => ['v=0', 's=-', ...lines, ''].join('\r\n')

describe('the certificate that a description names', () => {
  it('is read at session and media level', () => {
    expect(soleFingerprint(sdp(line(A)))).toBe('ab'.repeat(32))
    expect(soleFingerprint(sdp(line(A), 'm=audio 9', line(A.toLowerCase())))).toBe('ab'.repeat(32))
  })

  it('is none where two differ, the hash is weak, or a line is malformed', () => {
    expect(soleFingerprint(sdp())).toBeUndefined()
    expect(soleFingerprint(sdp(line(A), 'm=audio 9', line(B)))).toBeUndefined()
    expect(soleFingerprint(sdp(line(A), line('AB:CD', 'sha-1')))).toBeUndefined()
    expect(soleFingerprint(sdp(line(A), 'a=fingerprint: sha-256'))).toBeUndefined()
    expect(soleFingerprint(sdp(line(A), ` a=fingerprint:sha-256 ${B}`))).toBeUndefined()
    expect(soleFingerprint(sdp(line(A), `A=FINGERPRINT:sha-256 ${B}`))).toBeUndefined()
    expect(soleFingerprint(`v=0\r${line(A)}\n${line(B)}`)).toBeUndefined()
  })

  it('reads any text without an exception', () => {
    fc.assert(fc.property(fc.string(), (text) => void soleFingerprint(text)))
  })

  it('is written as a hash is', () => {
    expect(fingerprintText(new Uint8Array(32).fill(0xab))).toBe('ab'.repeat(32))
    expect(fingerprintText(new Uint8Array(20))).toBeUndefined()
  })
})
