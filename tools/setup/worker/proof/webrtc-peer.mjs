import { Audio, PeerConnection } from 'node-datachannel'

import { PAYLOAD_TYPE } from './rtp.mjs'

/**
 * @typedef {import('mediasoup').types.WebRtcTransport} WebRtcTransport
 * @typedef {{ direction: 'SendOnly' | 'RecvOnly', ssrc: number, channelId: number }} Media
 */

const MID = 'audio'

/** A WebRTC client of one mediasoup transport, with one audio track and one data channel. */
export class WebRtcPeer {
  /**
   * @param {string} name
   * @param {WebRtcTransport} transport
   * @param {Media} media
   */
  constructor(name, transport, media) {
    this.transport = transport
    this.media = media
    this.connection = new PeerConnection(name, {
      iceServers: [],
      bindAddress: '127.0.0.1',
      disableAutoNegotiation: true,
    })
    const audio = new Audio(MID, media.direction)
    audio.addOpusCodec(PAYLOAD_TYPE)
    if (media.direction === 'SendOnly') audio.addSSRC(media.ssrc, 'proof')
    this.track = this.connection.addTrack(audio)
    this.channel = this.connection.createDataChannel('proof', {
      negotiated: true,
      id: media.channelId,
    })
  }

  state() {
    return this.connection.state()
  }

  /** Resolves when DTLS is up and both the track and the data channel are open. */
  async connect() {
    const opened = [this.track, this.channel].map(
      (end) =>
        new Promise((/** @type {(value?: unknown) => void} */ resolve) => end.onOpen(resolve)),
    )
    /** @type {Promise<void>} */
    const gathered = new Promise((resolve) => {
      this.connection.onGatheringStateChange((state) => {
        if (state === 'complete') resolve()
      })
    })
    this.connection.setLocalDescription('offer')
    await gathered
    const offer = this.connection.localDescription()?.sdp ?? ''
    const fingerprint = /^a=fingerprint:sha-256 (\S+)/im.exec(offer)?.[1] ?? ''
    await this.transport.connect({
      dtlsParameters: {
        role: 'client',
        fingerprints: [{ algorithm: 'sha-256', value: fingerprint }],
      },
    })
    this.connection.setRemoteDescription(answerTo(offer, this.transport, this.media), 'answer')
    await Promise.all(opened)
  }

  close() {
    this.connection.close()
  }
}

/**
 * The answer that a browser-side handler would make from the transport's parameters. Its sections
 * come in the order of the offer's.
 * @param {string} offer
 * @param {WebRtcTransport} transport
 * @param {Media} media
 */
function answerTo(offer, transport, media) {
  const mids = [...offer.matchAll(/^a=mid:(\S+)/gm)].map((match) => match[1] ?? '')
  const sections = mids.map((mid) =>
    mid === MID ? audioSection(transport, media) : dataSection(transport, mid),
  )
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=ice-lite',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=msid-semantic:WMS *',
    ...sections.flat(),
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** @param {WebRtcTransport} transport @param {Media} media */
function audioSection(transport, { direction, ssrc }) {
  const sends = direction === 'RecvOnly'
  return [
    `m=audio 9 UDP/TLS/RTP/SAVPF ${PAYLOAD_TYPE}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${MID}`,
    sends ? 'a=sendonly' : 'a=recvonly',
    'a=rtcp-mux',
    `a=rtpmap:${PAYLOAD_TYPE} opus/48000/2`,
    ...(sends ? [`a=ssrc:${ssrc} cname:proof`] : []),
    ...connectionLines(transport),
  ]
}

/** @param {WebRtcTransport} transport @param {string} mid */
function dataSection(transport, mid) {
  return [
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    'a=sendrecv',
    'a=sctp-port:5000',
    'a=max-message-size:262144',
    ...connectionLines(transport),
  ]
}

/** @param {WebRtcTransport} transport */
function connectionLines({ iceParameters, iceCandidates, dtlsParameters }) {
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256')
  return [
    'a=setup:passive',
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    `a=fingerprint:sha-256 ${fingerprint?.value ?? ''}`,
    ...iceCandidates.map(
      ({ foundation, priority, address, port }) =>
        `a=candidate:${foundation} 1 udp ${priority} ${address} ${port} typ host`,
    ),
    'a=end-of-candidates',
  ]
}
