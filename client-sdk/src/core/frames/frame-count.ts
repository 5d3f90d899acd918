type Stats = Readonly<Record<string, unknown>>

/** Frames that the browser has sent or received so far, over all layers. */
export function frameCount(report: Iterable<Stats>, direction: 'send' | 'receive'): number {
  const type = direction === 'send' ? 'outbound-rtp' : 'inbound-rtp'
  let frames = 0
  for (const stats of report) if (stats['type'] === type) frames += framesOf(stats, direction)
  return frames
}

function framesOf(stats: Stats, direction: 'send' | 'receive'): number {
  if (stats['kind'] === 'video') {
    return direction === 'send'
      ? count(stats, 'framesSent', 'framesEncoded')
      : count(stats, 'framesReceived', 'framesDecoded')
  }
  // One packet holds one frame of sound; one that is sent again is no other frame.
  return direction === 'send'
    ? count(stats, 'packetsSent') - count(stats, 'retransmittedPacketsSent')
    : count(stats, 'packetsReceived') - count(stats, 'retransmittedPacketsReceived')
}

/** The first of these that the browser knows. */
function count(stats: Stats, ...names: readonly string[]): number {
  const found = names.map((name) => stats[name]).find((value) => typeof value === 'number')
  return typeof found === 'number' ? found : 0
}
