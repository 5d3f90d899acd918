import type { CallView, ParticipantId, PeerSignal } from '@parley/protocol'
import { isPolite } from './core/media-plan.ts'
import type { VideoCodec } from './core/video-codec.ts'
import { FrameGuard } from './e2ee/frame-guard.ts'
import type { FrameKeys } from './e2ee/frame-keys.ts'
import { CallError } from './errors.ts'
import type { IceServers } from './ice-servers.ts'
import { PeerSession } from './p2p/session.ts'
import type { PathMaker } from './paths.ts'
import type { Environment, PathListener, RemoteStream, Seat } from './ports.ts'
import { SfuSession } from './sfu/session.ts'
import type { Request } from './signaling.ts'

/** What paths are made with, the same for all calls of a client. */
export interface PathSupplies {
  readonly environment: Environment
  readonly ice: IceServers
  readonly iceTransportPolicy: RTCIceTransportPolicy
  readonly videoCodec: VideoCodec
  readonly topology: 'auto' | 'sfu'
}

/** The seat that the paths are for, and how to ask about it. */
export interface PathSeat extends Seat {
  readonly request: Request
  /** These streams come, and cannot be opened. */
  unreadable(streams: readonly Pick<RemoteStream, 'participant' | 'source'>[]): void
}

const SIGNAL_ATTEMPTS = 4
const SIGNAL_RETRY_MS = 1_000

/** Makes paths of both kinds for one seat. */
export function pathMaker(supplies: PathSupplies, seat: PathSeat): PathMaker {
  const { environment, ice, iceTransportPolicy, videoCodec, topology } = supplies
  const { clock, frames, frameKeys } = environment
  const { call, self, request } = seat

  const send = (to: ParticipantId, signal: PeerSignal, attempt = 1): void => {
    request('call.signal', { call, to, epoch: seat.epoch(), signal }).catch((error: unknown) => {
      const mayHelp = error instanceof CallError && error.retryable
      if (!mayHelp || attempt >= SIGNAL_ATTEMPTS) return
      clock.after(SIGNAL_RETRY_MS, () => send(to, signal, attempt + 1))
    })
  }

  // One for all paths of the seat: its counters go on where the path before had got to.
  let guard: FrameGuard | undefined
  const keys = frameKeys?.(seat) ?? seat.encryption
  const guardOf = (source: FrameKeys, listener: PathListener) => {
    if (guard) return guard
    guard = new FrameGuard({ keys: source, engine: frames, clock })
    guard.on('failed', (error) => listener.failed(error))
    guard.on('unreadable', (streams) => seat.unreadable(streams))
    return guard
  }

  return {
    nodesOnly: topology === 'sfu',

    direct(peer, view: CallView, listener) {
      const connection = environment.createPeerConnection({
        iceServers: ice.current.map((server) => ({ ...server }) as RTCIceServer),
        iceTransportPolicy,
        bundlePolicy: 'max-bundle',
      })
      return new PeerSession({
        peer,
        polite: isPolite(view, self, peer),
        clock,
        connection,
        listener,
        binding: seat.encryption?.bindingTo(peer),
        refused: (reason) => seat.encryption?.reportUnverified(peer, reason),
        send: (signal) => send(peer, signal),
      })
    },

    throughNode(epoch, listener) {
      const iceServers = () => Promise.resolve(ice.current)
      return new SfuSession({
        call,
        epoch,
        clock,
        request,
        iceServers,
        iceTransportPolicy,
        videoCodec,
        guard: keys && (() => guardOf(keys, listener)),
        listener,
      })
    },

    close() {
      guard?.close()
    },
  }
}
