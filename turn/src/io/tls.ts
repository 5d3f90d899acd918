import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createSecureContext, createServer } from 'node:tls'
import { StartError } from '@parley/service'

/** How long a TLS handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** ALPN names of RFC 7443; clients that offer none are served as well. */
const protocols: readonly string[] = ['stun.turn', 'stun.nat-discovery']

/** A certificate chain and its key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Reads certificate and key, and makes sure that they belong together. */
export function loadCertificate(certFile: string, keyFile: string): Certificate {
  const cert = readPem('PARLEY_TURN_TLS_CERT', certFile)
  const key = readPem('PARLEY_TURN_TLS_KEY', keyFile)
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    throw new StartError(certificateProblem(error))
  }
  return { cert, key }
}

/**
 * The first host name that a certificate is for, `undefined` when it has none, or has wildcards alone.
 * By it clients should be told of TLS: Firefox takes no `turns:` URL with an IP address.
 */
export function certificateName({ cert }: Certificate): string | undefined {
  const names = new X509Certificate(cert).subjectAltName?.split(', ') ?? []
  return names.find((name) => /^DNS:[\w.-]+$/.test(name))?.slice('DNS:'.length)
}

/** Where connections go that speak TLS. */
export interface TlsDoor {
  /** Shakes hands on a connection and hands what comes of it to the owner. */
  take(socket: Socket): void
  /** Serves another certificate from the next handshake on; running connections keep theirs. */
  useCertificate(certificate: Certificate): void
}

/** Opens the door for TLS clients, TLS 1.2 and above. It does not listen by itself. */
export function openTlsDoor(
  certificate: Certificate,
  {
    onClient,
    handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS,
  }: { readonly onClient: (socket: Socket) => void; readonly handshakeTimeoutMs?: number },
): TlsDoor {
  const fixed = { minVersion: 'TLSv1.2' as const }
  const server = createServer(
    {
      ...fixed,
      ...certificate,
      handshakeTimeout: handshakeTimeoutMs,
      ALPNCallback: ({ protocols: offered }) => offered.find((name) => protocols.includes(name)),
    },
    onClient,
  )
  // Node reports a handshake that takes too long, and leaves its socket open.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return {
    take: (socket) => server.emit('connection', socket),
    useCertificate: (next) => {
      server.setSecureContext({ ...fixed, ...next })
    },
  }
}

function readPem(envKey: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(`${envKey} names a file that cannot be read (${reason}).`)
  }
}

function certificateProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') {
    return 'The key in PARLEY_TURN_TLS_KEY does not belong to the certificate in PARLEY_TURN_TLS_CERT.'
  }
  const reason = error instanceof Error ? error.message : String(error)
  return (
    'PARLEY_TURN_TLS_CERT and PARLEY_TURN_TLS_KEY must name PEM files with a certificate chain and ' +
    `its unencrypted key (${reason}).`
  )
}
