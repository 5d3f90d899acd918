import { describe, expect, it } from 'vitest'
import { hasDecoded, readStats } from './stats.ts'

/** As Chromium 156 reports, cut down to what is read. */
const chromium = [
  { id: 'T', type: 'transport', selectedCandidatePairId: 'CP' },
  {
    id: 'CP',
    type: 'candidate-pair',
    localCandidateId: 'L',
    remoteCandidateId: 'R',
    nominated: true,
    state: 'succeeded',
    currentRoundTripTime: 0.052,
    availableOutgoingBitrate: 300_000,
  },
  {
    id: 'L',
    type: 'local-candidate',
    candidateType: 'relay',
    protocol: 'udp',
    relayProtocol: 'tcp',
  },
  { id: 'R', type: 'remote-candidate', candidateType: 'host', protocol: 'udp' },
  {
    id: 'IV',
    type: 'inbound-rtp',
    kind: 'video',
    mid: '1',
    trackIdentifier: 'cam',
    packetsReceived: 90,
    packetsLost: 2,
    jitter: 0.004,
    framesDecoded: 30,
    totalFreezesDuration: 0.5,
  },
  { id: 'IP', type: 'inbound-rtp', kind: 'video', mid: 'probator', trackIdentifier: 'probator' },
  {
    id: 'OV',
    type: 'outbound-rtp',
    kind: 'video',
    rid: 'h',
    packetsSent: 50,
    qualityLimitationReason: 'bandwidth',
  },
  { id: 'RI', type: 'remote-inbound-rtp', localId: 'OV', fractionLost: 0.25, roundTripTime: 0.1 },
]

/** As Firefox 153 reports: no transport, and the pair marks itself. */
const firefox = [
  {
    id: 'p1',
    type: 'candidate-pair',
    localCandidateId: 'l',
    remoteCandidateId: 'r',
    selected: true,
    nominated: true,
    state: 'succeeded',
  },
  { id: 'l', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
  { id: 'r', type: 'remote-candidate', candidateType: 'prflx', protocol: 'udp' },
]

describe('statistics', () => {
  it('reads the pair in use, with the protocol to the relay', () => {
    expect(readStats([chromium], 5).pair).toEqual({
      localType: 'relay',
      remoteType: 'host',
      protocol: 'tcp',
      rttMs: 52,
      availableOutgoingBps: 300_000,
    })
    expect(readStats([firefox], 5).pair).toMatchObject({ localType: 'host', remoteType: 'prflx' })
  })

  it('reads streams, and leaves the node’s probes out', () => {
    const { inbound, outbound } = readStats([chromium], 5)
    expect(inbound).toHaveLength(1)
    expect(inbound[0]).toMatchObject({ packets: 90, lost: 2, jitterMs: 4, frozenMs: 500 })
    expect(outbound[0]).toMatchObject({
      rid: 'h',
      limitedBy: 'bandwidth',
      remoteLoss: 0.25,
      rttMs: 100,
    })
  })

  it('takes senseless values for none', () => {
    const odd = [
      { id: 1, type: 'inbound-rtp', kind: 'audio', packetsReceived: NaN, jitter: 'x' },
      { type: 'candidate-pair', selected: true, localCandidateId: 'nowhere' },
    ]
    const sample = readStats([odd], 0)
    expect(sample.inbound[0]).toMatchObject({ packets: 0, jitterMs: 0 })
    expect(sample.pair).toMatchObject({ localType: '', remoteType: '' })
  })

  it('sees decoded frames, and packets of sound', () => {
    expect(hasDecoded([{ type: 'inbound-rtp', kind: 'video', packetsReceived: 9 }])).toBe(false)
    expect(hasDecoded([{ type: 'inbound-rtp', kind: 'video', framesDecoded: 1 }])).toBe(true)
    expect(hasDecoded([{ type: 'inbound-rtp', kind: 'audio', packetsReceived: 1 }])).toBe(true)
  })
})
