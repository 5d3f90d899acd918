import { fingerprintText } from '../core/fingerprint.ts'
import { sha256 } from '../e2ee/octets.ts'
import type { PeerConnection } from '../ports.ts'

/**
 * Compares the certificate that a connection really has with the one that was signed. `unknown`
 * where the browser does not show it; the browser itself has compared it with the description.
 */
export async function checkCertificate(
  connection: PeerConnection,
  signed: string | undefined,
): Promise<'same' | 'other' | 'unknown'> {
  const certificates = remoteCertificates(connection)
  if (certificates === undefined) return 'unknown'
  const [certificate] = certificates
  if (!certificate) return 'unknown'
  const hash = await sha256(new Uint8Array(certificate))
  return fingerprintText(hash) === signed ? 'same' : 'other'
}

function remoteCertificates({ sctp }: PeerConnection): ArrayBuffer[] | undefined {
  // The type says always there, but older browsers do not have it.
  const transport = sctp?.transport as Partial<RTCDtlsTransport> | undefined
  return transport?.getRemoteCertificates?.()
}
