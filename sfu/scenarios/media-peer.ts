import type { ConsumerId, ParticipantId, ProducerId, TransportInfo } from '@parley/protocol'
import nodeDataChannel from 'node-datachannel'
import type { Track } from 'node-datachannel'
import { onTestFinished } from 'vitest'
import type { RoomDoor } from './stage.ts'

const { Audio, PeerConnection, Video } = nodeDataChannel

/** One media section between a headless client and one transport of the node. */
export interface MediaLine {
  readonly kind: 'audio' | 'video'
  /** As the client sees it. */
  readonly direction: 'SendOnly' | 'RecvOnly'
  readonly mid: string
  readonly payloadType: number
  readonly ssrcs: readonly number[]
}

/** A headless client's end of a transport: ICE, DTLS and SRTP, and raw RTP above them. */
export interface MediaEnd {
  readonly track: Track
  /** `sha-256` of the client's certificate, for `transport.connect`. */
  readonly dtlsParameters: { role: 'client'; fingerprints: { algorithm: string; value: string }[] }
  /** Dials the node; resolves when packets can flow. */
  connect(): Promise<void>
}

/** Prepares one; it is closed after the test. */
export async function openMediaEnd(info: TransportInfo, line: MediaLine): Promise<MediaEnd> {
  const connection = new PeerConnection(line.mid, { iceServers: [] })
  onTestFinished(() => connection.close())
  const media =
    line.kind === 'audio'
      ? new Audio(line.mid, line.direction)
      : new Video(line.mid, line.direction)
  if (line.kind === 'audio') (media as InstanceType<typeof Audio>).addOpusCodec(line.payloadType)
  else (media as InstanceType<typeof Video>).addVP8Codec(line.payloadType)
  if (line.direction === 'SendOnly') {
    for (const ssrc of line.ssrcs) media.addSSRC(ssrc, 'headless')
  }
  const track = connection.addTrack(media)
  const gathered = new Promise<void>((resolve) => {
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') resolve()
    })
  })
  connection.setLocalDescription('offer')
  await gathered
  const value = /a=fingerprint:sha-256 (\S+)/i.exec(connection.localDescription()?.sdp ?? '')?.[1]
  if (value === undefined) throw new Error('the offer has no fingerprint')
  const open = new Promise<void>((resolve) => track.onOpen(resolve))
  return {
    track,
    dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] },
    connect: () => {
      connection.setRemoteDescription(answerSdp(info, line), 'answer')
      return open
    },
  }
}

/** One stream on its way to a headless client. */
export interface Reception {
  readonly peer: ParticipantId
  readonly consumer: ConsumerId
  readonly payloadType: number
  readonly track: Track
  /** Dials the node, and lets the stream flow. */
  readonly start: () => Promise<void>
}

/** Enters a room and prepares to take one stream. */
export async function receive(
  room: RoomDoor,
  { name, producer, kind }: { name: string; producer: ProducerId; kind: MediaLine['kind'] },
): Promise<Reception> {
  const { id: peer, session } = await room.enter(name)
  const { consumer, rtpParameters } = await room.consume(peer, producer)
  const { mid, codecs, encodings } = rtpParameters as unknown as {
    mid: string
    codecs: [{ payloadType: number }]
    encodings: [{ ssrc: number }]
  }
  const { payloadType } = codecs[0]
  const line = {
    kind,
    direction: 'RecvOnly',
    mid,
    payloadType,
    ssrcs: [encodings[0].ssrc],
  } as const
  const end = await openMediaEnd(session.recv, line)
  const { track, dtlsParameters } = end
  await room.must('transport.connect', { peer, transport: session.recv.id, dtlsParameters })
  return {
    ...{ peer, consumer, payloadType, track },
    start: async () => {
      await end.connect()
      await room.must('consumer.resume', { peer, consumer })
    },
  }
}

/** The answer that the node would give if it spoke SDP. */
function answerSdp(
  { iceParameters, iceCandidates, dtlsParameters }: TransportInfo,
  line: MediaLine,
) {
  const { kind, direction, mid, payloadType, ssrcs } = line
  const fingerprints = dtlsParameters['fingerprints'] as { algorithm: string; value: string }[]
  const fingerprint = fingerprints.find(({ algorithm }) => algorithm === 'sha-256')
  const codec = kind === 'audio' ? 'opus/48000/2' : 'VP8/90000'
  const candidates = iceCandidates
    .filter((candidate) => candidate['protocol'] === 'udp')
    .map(
      ({ foundation, priority, ip, port }) =>
        `a=candidate:${String(foundation)} 1 udp ${String(priority)} ${String(ip)} ${String(port)} typ host`,
    )
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    `a=group:BUNDLE ${mid}`,
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
    'c=IN IP4 127.0.0.1',
    `a=mid:${mid}`,
    `a=ice-ufrag:${String(iceParameters['usernameFragment'])}`,
    `a=ice-pwd:${String(iceParameters['password'])}`,
    `a=fingerprint:sha-256 ${fingerprint?.value ?? ''}`,
    'a=setup:passive',
    direction === 'SendOnly' ? 'a=recvonly' : 'a=sendonly',
    'a=rtcp-mux',
    `a=rtpmap:${payloadType} ${codec}`,
    ...(direction === 'RecvOnly' ? ssrcs.map((ssrc) => `a=ssrc:${ssrc} cname:node`) : []),
    ...candidates,
    '',
  ].join('\r\n')
}
