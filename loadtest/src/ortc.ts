import type { ConsumerInfo, MediaSession, TransportInfo } from '@parley/protocol'

export const OPUS_PAYLOAD_TYPE = 111
export const VP8_PAYLOAD_TYPE = 96
export const OPUS_CLOCK_HZ = 48_000
export const VP8_CLOCK_HZ = 90_000

const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'

/** Receivers ask for key frames and for nothing to be sent again, so that loss stays visible. */
const ASKED_OF_SENDERS = ['nack pli', 'ccm fir']

/** RTP parameters and the like as they travel. */
type OrtcObject = MediaSession['rtpCapabilities']

/** What a headless client can receive of what the room forwards: plain Opus and VP8. */
export function receivable({ rtpCapabilities }: MediaSession): OrtcObject {
  const codecs = listOf(rtpCapabilities['codecs'])
    .filter(({ mimeType }) => /^(audio\/opus|video\/vp8)$/i.test(String(mimeType)))
    .map((codec) => ({ ...codec, rtcpFeedback: listOf(codec['rtcpFeedback']).filter(isAsked) }))
  return { codecs, headerExtensions: [] }
}

/** The id under which the room knows the audio level of a packet (RFC 6464). */
export function audioLevelId({ rtpCapabilities }: MediaSession): number | undefined {
  const extension = listOf(rtpCapabilities['headerExtensions']).find(
    ({ uri, kind }) => uri === AUDIO_LEVEL_URI && kind === 'audio',
  )
  const id = extension?.['preferredId']
  return typeof id === 'number' ? id : undefined
}

/** A microphone for `sfu.produce`. */
export function microphoneParameters(ssrc: number, levelId: number | undefined): OrtcObject {
  return {
    mid: 'microphone',
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType: OPUS_PAYLOAD_TYPE,
        clockRate: OPUS_CLOCK_HZ,
        channels: 2,
        parameters: {},
        rtcpFeedback: [],
      },
    ],
    headerExtensions: levelId === undefined ? [] : [{ uri: AUDIO_LEVEL_URI, id: levelId }],
    encodings: [{ ssrc }],
    rtcp: { cname: `load-${ssrc}` },
  }
}

/** A camera for `sfu.produce`: one SSRC per simulcast layer, the smallest first. */
export function cameraParameters(ssrcs: readonly number[]): OrtcObject {
  return {
    mid: 'camera',
    codecs: [
      {
        mimeType: 'video/VP8',
        payloadType: VP8_PAYLOAD_TYPE,
        clockRate: VP8_CLOCK_HZ,
        parameters: {},
        rtcpFeedback: [
          { type: 'nack' },
          { type: 'nack', parameter: 'pli' },
          { type: 'ccm', parameter: 'fir' },
        ],
      },
    ],
    headerExtensions: [],
    encodings: ssrcs.map((ssrc) => ({ ssrc })),
    rtcp: { cname: `load-${ssrcs.join('-')}` },
  }
}

/** The SSRC under which a consumer's packets will come; `undefined` when the server names none. */
export function ssrcOf({ rtpParameters }: ConsumerInfo): number | undefined {
  const ssrc = listOf(rtpParameters['encodings'])[0]?.['ssrc']
  return typeof ssrc === 'number' ? ssrc : undefined
}

/**
 * The SDP answer that a server would give if it spoke SDP, for the one media section that carries
 * everything: below SDP, streams are told apart by SSRC alone.
 */
export function answerSdp(info: TransportInfo, direction: 'sendonly' | 'recvonly'): string {
  const { iceParameters, dtlsParameters } = info
  const fingerprint = listOf(dtlsParameters['fingerprints']).find(
    ({ algorithm }) => algorithm === 'sha-256',
  )
  const candidates = info.iceCandidates
    .filter(({ protocol }) => protocol === 'udp')
    .map((candidate) => {
      const { foundation, priority, ip, address, port } = candidate
      const host = String(ip ?? address)
      return `a=candidate:${String(foundation)} 1 udp ${String(priority)} ${host} ${String(port)} typ host`
    })
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    'a=group:BUNDLE media',
    `m=audio 9 UDP/TLS/RTP/SAVPF ${OPUS_PAYLOAD_TYPE}`,
    'c=IN IP4 127.0.0.1',
    'a=mid:media',
    `a=ice-ufrag:${String(iceParameters['usernameFragment'])}`,
    `a=ice-pwd:${String(iceParameters['password'])}`,
    `a=fingerprint:sha-256 ${String(fingerprint?.['value'])}`,
    'a=setup:passive',
    `a=${direction}`,
    'a=rtcp-mux',
    `a=rtpmap:${OPUS_PAYLOAD_TYPE} opus/48000/2`,
    ...candidates,
    '',
  ].join('\r\n')
}

function isAsked({ type, parameter }: Readonly<Record<string, unknown>>): boolean {
  return ASKED_OF_SENDERS.includes(`${String(type)} ${String(parameter)}`)
}

/** The objects of a list; nothing where there is no list. */
function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return []
  return value.filter(
    (item): item is Readonly<Record<string, unknown>> => typeof item === 'object' && item !== null,
  )
}
