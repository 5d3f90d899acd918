/** What one path of media is doing. `failed`: it could not even be set up. */
export type PathState = 'connecting' | 'connected' | 'interrupted' | 'failed'

/** The state of a path after its peer connection has changed. A path that has never worked connects. */
export function pathState(before: PathState, connection: RTCPeerConnectionState): PathState {
  if (connection === 'connected') return 'connected'
  const stopped = connection === 'disconnected' || connection === 'failed'
  return stopped && before === 'connected' ? 'interrupted' : before
}
