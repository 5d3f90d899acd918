import { StartError } from '@parley/service'
import type { OpenDatagramPort } from '../ports.ts'
import { batchedUdp } from './batched-udp.ts'
import { openUdp } from './udp.ts'

/** Which of the two datagram ports serves: `auto` takes the batched one where it is built. */
export const datagramPaths = ['auto', 'pure', 'batched'] as const
export type DatagramPath = (typeof datagramPaths)[number]

/** How this thread opens datagram sockets. */
export interface Datagrams {
  readonly path: Exclude<DatagramPath, 'auto'>
  readonly open: OpenDatagramPort
  /** The memory in which datagrams may be changed while they are handled; see `BatchedUdp`. */
  readonly scratch: ArrayBuffer | undefined
}

/** Chooses the datagram port of this thread; throws `StartError` when the asked one is not built. */
export function chooseDatagrams(wish: DatagramPath): Datagrams {
  const batched = wish === 'pure' ? undefined : batchedUdp()
  if (batched) return { path: 'batched', open: batched.open, scratch: batched.scratch }
  if (wish === 'batched') {
    throw new StartError(
      'PARLEY_TURN_DATAGRAMS=batched, but its add-on is not built. `npm run setup` builds it on Linux with a C++ compiler; `auto` does without.',
    )
  }
  return { path: 'pure', open: openUdp, scratch: undefined }
}
