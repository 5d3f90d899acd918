/** Version of the client and node protocols. A peer with another one is refused at the handshake. */
export const PROTOCOL_VERSION = 1
