import type { MediaKind, Millis } from '@parley/protocol'

/** The candidate pair in use. */
export interface PairSample {
  readonly localType: string
  readonly remoteType: string
  readonly protocol: string
  readonly rttMs: number | undefined
  readonly availableOutgoingBps: number | undefined
}

/** Counters of one received stream. */
export interface InboundSample {
  readonly id: string
  readonly kind: MediaKind
  readonly track: string | undefined
  readonly packets: number
  readonly lost: number
  readonly bytes: number
  readonly jitterMs: number
  readonly framesDecoded: number
  readonly framesPerSecond: number
  readonly width: number
  readonly height: number
  readonly frozenMs: number
  readonly concealedSamples: number
  readonly samples: number
}

/** Counters of one sent stream; with simulcast, of one layer. */
export interface OutboundSample {
  readonly id: string
  readonly kind: MediaKind
  readonly rid: string | undefined
  readonly packets: number
  readonly bytes: number
  readonly framesPerSecond: number
  readonly width: number
  readonly height: number
  readonly targetBps: number | undefined
  readonly limitedBy: 'none' | 'cpu' | 'bandwidth' | 'other'
  /** As the receiver reports: 0 to 1 since its last report. */
  readonly remoteLoss: number | undefined
  readonly rttMs: number | undefined
}

/** What the browser counted, in one shape for all browsers. */
export interface MediaSample {
  readonly at: Millis
  readonly pair: PairSample | undefined
  readonly inbound: readonly InboundSample[]
  readonly outbound: readonly OutboundSample[]
}

type Stats = Readonly<Record<string, unknown>>

/** Reads the reports of one path. */
export function readStats(reports: readonly Iterable<Stats>[], at: Millis): MediaSample {
  const all = reports.flatMap((report) => [...report])
  const byId = new Map(all.map((stats) => [text(stats, 'id'), stats]))
  return {
    at,
    pair: selectedPair(all, byId),
    inbound: all.filter((s) => s['type'] === 'inbound-rtp' && !isProbe(s)).map(inbound),
    outbound: all.filter((s) => s['type'] === 'outbound-rtp').map((s) => outbound(s, all)),
  }
}

/** Whether a receiver's report shows that its media arrives: frames decoded, or audio packets. */
export function hasDecoded(report: Iterable<Stats>): boolean {
  for (const stats of report) {
    if (stats['type'] !== 'inbound-rtp') continue
    const video = stats['kind'] === 'video'
    if (count(stats, video ? 'framesDecoded' : 'packetsReceived') > 0) return true
  }
  return false
}

function selectedPair(
  all: readonly Stats[],
  byId: ReadonlyMap<string, Stats>,
): PairSample | undefined {
  const transports = all.filter((s) => s['type'] === 'transport')
  const chosen = transports.map((s) => byId.get(text(s, 'selectedCandidatePairId')))
  // Firefox marks the pair itself.
  const marked = all.filter(
    (s) => s['type'] === 'candidate-pair' && (s['selected'] === true || isNominated(s)),
  )
  const pair = [...chosen, ...marked].find((s) => s !== undefined)
  if (!pair) return undefined
  const local = byId.get(text(pair, 'localCandidateId'))
  const remote = byId.get(text(pair, 'remoteCandidateId'))
  const rtt = optional(pair, 'currentRoundTripTime')
  return {
    localType: local ? text(local, 'candidateType') : '',
    remoteType: remote ? text(remote, 'candidateType') : '',
    protocol: local ? text(local, 'relayProtocol') || text(local, 'protocol') : '',
    rttMs: rtt === undefined ? undefined : rtt * 1_000,
    availableOutgoingBps: optional(pair, 'availableOutgoingBitrate'),
  }
}

/** Padding by which mediasoup finds out the bandwidth; nobody sees it. */
function isProbe(stats: Stats): boolean {
  return stats['mid'] === 'probator' || stats['trackIdentifier'] === 'probator'
}

function isNominated(stats: Stats): boolean {
  return stats['nominated'] === true && stats['state'] === 'succeeded'
}

function inbound(stats: Stats): InboundSample {
  return {
    id: text(stats, 'id'),
    kind: stats['kind'] === 'video' ? 'video' : 'audio',
    track: text(stats, 'trackIdentifier') || undefined,
    packets: count(stats, 'packetsReceived'),
    lost: count(stats, 'packetsLost'),
    bytes: count(stats, 'bytesReceived'),
    jitterMs: count(stats, 'jitter') * 1_000,
    framesDecoded: count(stats, 'framesDecoded'),
    framesPerSecond: count(stats, 'framesPerSecond'),
    width: count(stats, 'frameWidth'),
    height: count(stats, 'frameHeight'),
    frozenMs: count(stats, 'totalFreezesDuration') * 1_000,
    concealedSamples: count(stats, 'concealedSamples') - count(stats, 'silentConcealedSamples'),
    samples: count(stats, 'totalSamplesReceived'),
  }
}

function outbound(stats: Stats, all: readonly Stats[]): OutboundSample {
  const id = text(stats, 'id')
  const remote = all.find((s) => s['type'] === 'remote-inbound-rtp' && s['localId'] === id)
  const rtt = remote && optional(remote, 'roundTripTime')
  const limited = text(stats, 'qualityLimitationReason')
  return {
    id,
    kind: stats['kind'] === 'video' ? 'video' : 'audio',
    rid: text(stats, 'rid') || undefined,
    packets: count(stats, 'packetsSent'),
    bytes: count(stats, 'bytesSent'),
    framesPerSecond: count(stats, 'framesPerSecond'),
    width: count(stats, 'frameWidth'),
    height: count(stats, 'frameHeight'),
    targetBps: optional(stats, 'targetBitrate'),
    limitedBy:
      limited === 'cpu' || limited === 'bandwidth' || limited === 'other' ? limited : 'none',
    remoteLoss: remote && optional(remote, 'fractionLost'),
    rttMs: rtt === undefined ? undefined : rtt * 1_000,
  }
}

function text(stats: Stats, key: string): string {
  const value = stats[key]
  return typeof value === 'string' ? value : ''
}

function count(stats: Stats, key: string): number {
  return optional(stats, key) ?? 0
}

function optional(stats: Stats, key: string): number | undefined {
  const value = stats[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
