import { io } from 'socket.io-client'
import type { WireError } from '@parley/protocol'
import { MESSAGE_PACK_PATH, messagePackParser } from '@parley/protocol/message-pack'
import type { Link } from '../ports.ts'

/** How long one handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** How messages are written: text, or bytes that are a little fewer. */
export type WireFormat = 'json' | 'msgpack'

const entrances = {
  json: {},
  msgpack: { path: MESSAGE_PACK_PATH, parser: messagePackParser },
} as const

/** Signaling over Socket.IO, WebSocket only. Each connection is used once: reconnecting is ours. */
export const socketIoLink = (format: WireFormat = 'json'): Link => ({
  open(url, auth, listener) {
    const socket = io(url, {
      ...entrances[format],
      transports: ['websocket'],
      auth: { ...auth },
      reconnection: false,
      forceNew: true,
      timeout: HANDSHAKE_TIMEOUT_MS,
    })
    let over = false
    const end = (tell: () => void) => {
      if (over) return
      over = true
      socket.disconnect()
      tell()
    }
    socket.on('event', (frame: unknown) => {
      if (!over) listener.event(frame)
    })
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      // `data` is set when the server refused; else it was not reached.
      end(() => listener.refused(error.data as WireError | undefined))
    })
    socket.on('disconnect', () => end(() => listener.lost()))
    return {
      send: (frame, answered) => void socket.emit('request', frame, answered),
      close: () => end(() => undefined),
      abandon() {
        over = true
        // Typed as always there; absent until a connection is being opened.
        const engine = socket.io.engine as typeof socket.io.engine | undefined
        engine?.close()
      },
    }
  },
})
