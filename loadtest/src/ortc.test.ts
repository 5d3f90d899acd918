import type { MediaSession, TransportInfo } from '@parley/protocol'
import { expect, test } from 'vitest'
import { answerSdp, audioLevelId, receivable, ssrcOf } from './ortc.ts'

const session = {
  rtpCapabilities: {
    codecs: [
      { kind: 'audio', mimeType: 'audio/opus', rtcpFeedback: [{ type: 'transport-cc' }] },
      {
        kind: 'video',
        mimeType: 'video/VP8',
        rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
      },
      { kind: 'video', mimeType: 'video/rtx' },
      { kind: 'video', mimeType: 'video/H264' },
    ],
    headerExtensions: [
      { kind: 'audio', uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', preferredId: 1 },
      { kind: 'audio', uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', preferredId: 10 },
    ],
  },
} as unknown as MediaSession

test('only Opus and VP8 are received, and nothing is asked for again', () => {
  expect(receivable(session)).toEqual({
    codecs: [
      { kind: 'audio', mimeType: 'audio/opus', rtcpFeedback: [] },
      { kind: 'video', mimeType: 'video/VP8', rtcpFeedback: [{ type: 'nack', parameter: 'pli' }] },
    ],
    headerExtensions: [],
  })
})

test('the audio level has the id that the room gives it', () => {
  expect(audioLevelId(session)).toBe(10)
  expect(audioLevelId({ ...session, rtpCapabilities: {} })).toBeUndefined()
})

test('a consumer without an SSRC has none', () => {
  const consumer = (rtpParameters: object) => ({ rtpParameters }) as Parameters<typeof ssrcOf>[0]
  expect(ssrcOf(consumer({ encodings: [{ ssrc: 5 }] }))).toBe(5)
  expect(ssrcOf(consumer({ encodings: 'none' }))).toBeUndefined()
  expect(ssrcOf(consumer({}))).toBeUndefined()
})

test('an answer takes the first digest that the library knows, and UDP', () => {
  const info = {
    id: 't',
    iceParameters: { usernameFragment: 'u', password: 'p' },
    iceCandidates: [
      { foundation: 'f', priority: 1, ip: '127.0.0.1', port: 4_000, protocol: 'udp' },
      { foundation: 'f', priority: 1, ip: '127.0.0.1', port: 4_001, protocol: 'tcp' },
    ],
    dtlsParameters: {
      fingerprints: [
        { algorithm: 'sha-1', value: 'AA' },
        { algorithm: 'sha-256', value: 'BB' },
      ],
    },
  } as unknown as TransportInfo
  const lines = answerSdp(info, 'recvonly').split('\r\n')
  expect(lines).toContain('a=fingerprint:sha-256 BB')
  expect(lines).toContain('a=recvonly')
  expect(lines.filter((line) => line.startsWith('a=candidate'))).toEqual([
    'a=candidate:f 1 udp 1 127.0.0.1 4000 typ host',
  ])
})
