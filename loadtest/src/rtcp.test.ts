import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFeedback, encodeSenderReport, isRtcp } from './rtcp.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

/** As mediasoup sends it. */
const pictureLoss = '81ce0002000007d1000007d1'

test('a picture loss indication asks for a key frame', () => {
  expect(decodeFeedback(hex(pictureLoss))).toEqual([{ type: 'keyFrameWanted', ssrc: 2_001 }])
})

test('a full intra request names each stream in its entries', () => {
  const request = '84ce00060000000000000000000007d101000000000007d202000000'
  expect(decodeFeedback(hex(request)).map(({ ssrc }) => ssrc)).toEqual([2_001, 2_002])
})

test('a negative acknowledgement lists a packet and those of its mask, past the wrap', () => {
  const nack = '81cd000300000000000007d1ffff8001'
  expect(decodeFeedback(hex(nack))).toEqual([
    { type: 'packetsLost', ssrc: 2_001, sequences: [65_535, 0, 15] },
  ])
})

test('requests are found behind other parts of a compound packet', () => {
  const receiverReport = '80c90001000003e9'
  expect(decodeFeedback(hex(receiverReport + pictureLoss))).toHaveLength(1)
})

test('a sender report holds the wall clock in NTP form', () => {
  const report = encodeSenderReport({
    ssrc: 7,
    timestamp: 2 ** 32 + 5,
    wallMs: 1_500,
    packets: 3,
    payloadBytes: 90,
  })
  expect(report.toString('hex')).toBe(
    '80c80006' + '00000007' + '83aa7e81' + '80000000' + '00000005' + '00000003' + '0000005a',
  )
  expect(isRtcp(report)).toBe(true)
})

test('no bytes make it throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.uint8Array({ maxLength: 40 }).map((tail) => Buffer.concat([hex('81cd0003'), tail])),
  )
  fc.assert(fc.property(bytes, (input) => void decodeFeedback(Buffer.from(input))))
})
