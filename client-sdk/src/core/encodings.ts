import type { TrackSource } from '@parley/protocol'

/** What of a capture decides how it is encoded. */
export interface CaptureSize {
  readonly width: number
  readonly height: number
  /** The codec has its layers within one stream. */
  readonly svc?: boolean
}

/** Enough for wideband speech; more is spent on music only. */
const AUDIO_BPS = 40_000
const SCREEN_AUDIO_BPS = 96_000
const CAMERA_P2P_BPS = 1_700_000
/** Text stays sharp at this rate up to 1080p; the frame rate gives way first. */
const SCREEN_BPS = 2_500_000

/** From the smallest: Chromium drops layers by index, and mediasoup numbers them so. */
const LAYERS = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
] as const

/** What is sent to one other device. */
export function peerEncodings(source: TrackSource): RTCRtpEncodingParameters[] {
  switch (source) {
    case 'microphone':
      return [{ maxBitrate: AUDIO_BPS, priority: 'high', networkPriority: 'high' }]
    case 'screen-audio':
      return [{ maxBitrate: SCREEN_AUDIO_BPS }]
    case 'camera':
      return [{ maxBitrate: CAMERA_P2P_BPS, maxFramerate: 30 }]
    case 'screen':
      return [{ maxBitrate: SCREEN_BPS }]
  }
}

/** The compiler's table of browsers lags behind: all that do layers take it. */
interface NodeEncoding extends RTCRtpEncodingParameters {
  scalabilityMode?: string
}

/** What is sent to a node: a camera in as many layers as its size is worth, all else in one. */
export function nodeEncodings(source: TrackSource, size: CaptureSize): NodeEncoding[] {
  if (source !== 'camera') return peerEncodings(source)
  const longSide = Math.max(size.width, size.height)
  const count = longSide >= 960 ? 3 : longSide >= 480 ? 2 : 1
  const [largest = LAYERS[0]] = LAYERS.slice(count - 1)
  if (size.svc === true) {
    return [{ maxBitrate: largest.maxBitrate, scalabilityMode: `L${count}T3_KEY` }]
  }
  // The largest layer is the capture itself, so the layers that fall away are at the other end.
  const rates = LAYERS.slice(0, count)
  return rates.map(({ rid, maxBitrate }, index) => ({
    rid,
    maxBitrate,
    scaleResolutionDownBy: 2 ** (count - 1 - index),
  }))
}
