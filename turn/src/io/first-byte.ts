import type { Socket } from 'node:net'

/** How long a connection may keep silent where its first byte decides what it speaks. */
const FIRST_BYTE_MS = 10_000

/** The first byte of a TLS handshake record. No STUN message and no ChannelData begins so: RFC 7983 §7. */
const TLS_HANDSHAKE = 22

/** Tells TLS from plain TURN by the first byte, and hands the socket on, paused and with nothing read. */
export function tellApart(
  socket: Socket,
  {
    onKnown,
    firstByteMs = FIRST_BYTE_MS,
  }: {
    readonly onKnown: (socket: Socket, transport: 'tcp' | 'tls') => void
    readonly firstByteMs?: number
  },
): void {
  const drop = () => socket.destroy()
  socket.on('error', ignore)
  socket.setTimeout(firstByteMs, drop)
  socket.once('data', (chunk: Buffer) => {
    socket.setTimeout(0)
    socket.off('timeout', drop)
    socket.off('error', ignore)
    socket.pause()
    socket.unshift(chunk)
    onKnown(socket, chunk[0] === TLS_HANDSHAKE ? 'tls' : 'tcp')
  })
}

function ignore(): void {
  // 'close' follows.
}
