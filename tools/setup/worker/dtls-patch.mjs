const AS_SHIPPED = '(operationType == BIO_CB_RETURN)'
const AS_MEANT = '(operationType & BIO_CB_RETURN)'

/**
 * Mends the worker's BIO callback. It means to pass a BIO call's result through, but compares the
 * operation with a bit that is *or-ed* into it, and so answers 1 to every control call. An OpenSSL
 * with kernel TLS, as Debian builds it, takes that for "the kernel sends", allocates no write
 * buffer, and crashes at the first DTLS handshake.
 * @param {string} source The text of `DtlsTransport.cpp`.
 * @returns {string}
 * @throws {Error} Where the line is not found exactly once: the source has changed, and someone
 *   must look.
 */
export function patchDtls(source) {
  const parts = source.split(AS_SHIPPED)
  if (parts.length !== 2) {
    throw new Error(`DtlsTransport.cpp has "${AS_SHIPPED}" ${parts.length - 1} times, not once`)
  }
  return parts.join(AS_MEANT)
}
