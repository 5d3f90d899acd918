import type { CallId, CallView, ParticipantId, PeerSignal } from '@parley/protocol'
import { isPolite } from './core/media-plan.ts'
import { CallError } from './errors.ts'
import type { IceServers } from './ice-servers.ts'
import { PeerSession } from './p2p/session.ts'
import type { PathMaker } from './paths.ts'
import type { Environment, FrameHooks } from './ports.ts'
import { SfuSession } from './sfu/session.ts'
import type { Request } from './signaling.ts'

/** What paths are made with, the same for all calls of a client. */
export interface PathSupplies {
  readonly environment: Environment
  readonly ice: IceServers
  readonly iceTransportPolicy: RTCIceTransportPolicy
  readonly hooks: FrameHooks | undefined
}

/** The seat that the paths are for. */
export interface Seat {
  readonly call: CallId
  readonly self: ParticipantId
  readonly request: Request
  /** The newest epoch of the call's topology. */
  epoch(): number
}

const SIGNAL_ATTEMPTS = 4
const SIGNAL_RETRY_MS = 1_000

/** Makes paths of both kinds for one seat. */
export function pathMaker(supplies: PathSupplies, seat: Seat): PathMaker {
  const { environment, ice, iceTransportPolicy, hooks } = supplies
  const { clock } = environment
  const { call, self, request } = seat

  const send = (to: ParticipantId, signal: PeerSignal, attempt = 1): void => {
    request('call.signal', { call, to, epoch: seat.epoch(), signal }).catch((error: unknown) => {
      const mayHelp = error instanceof CallError && error.retryable
      if (!mayHelp || attempt >= SIGNAL_ATTEMPTS) return
      clock.after(SIGNAL_RETRY_MS, () => send(to, signal, attempt + 1))
    })
  }

  return {
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
        hooks,
        listener,
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
        hooks,
        listener,
      })
    },
  }
}
