import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createSecureContext, createServer } from 'node:tls'
import { StartError } from '@parley/service'
import type { StreamListener } from './tcp.ts'
import { listenForStreams } from './tcp.ts'

/** How long a TLS handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** ALPN names of RFC 7443; clients that offer none are served as well. */
const protocols: readonly string[] = ['stun.turn', 'stun.nat-discovery']

/** A certificate chain and its key, as PEM. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
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

/** Listens for TLS clients, TLS 1.2 and above; rejects with the error of the system. */
export function openTls(
  at: { readonly host: string; readonly port: number },
  certificate: Certificate,
  onConnection: (socket: Socket) => void,
): Promise<StreamListener> {
  const server = createServer(
    {
      cert: certificate.cert,
      key: certificate.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNCallback: ({ protocols: offered }) => offered.find((name) => protocols.includes(name)),
    },
    onConnection,
  )
  // A failed handshake has already closed its socket.
  server.on('tlsClientError', () => undefined)
  return listenForStreams(server, at)
}

function readPem(envKey: string, file: string): Buffer {
  try {
    return readFileSync(file)
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
