import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of self-signed certificates: `NAME.crt` and `NAME.key`. */
export class CertificateFolder {
  readonly #path = mkdtempSync(join(tmpdir(), 'turn-'))

  /** Makes a certificate and its key. */
  make(name: string): void {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const files = ['-keyout', this.file(`${name}.key`), '-out', this.file(`${name}.crt`)]
    const subject = ['-days', '1', '-subj', `/CN=${name}`]
    execFileSync('openssl', ['req', '-x509', ...key, ...files, ...subject], { stdio: 'pipe' })
  }

  /** Puts a certificate and its key in the place of another's. */
  copy(from: string, to: string): void {
    for (const end of ['crt', 'key']) {
      copyFileSync(this.file(`${from}.${end}`), this.file(`${to}.${end}`))
    }
  }

  write(name: string, text: string): void {
    writeFileSync(this.file(name), text)
  }

  file(name: string): string {
    return join(this.#path, name)
  }

  /** Settings of a server with one TLS listener. */
  settings(cert: string, key: string): Record<string, string> {
    return {
      PARLEY_TURN_LISTEN: 'tls://127.0.0.1:0',
      PARLEY_TURN_TLS_CERT: this.file(cert),
      PARLEY_TURN_TLS_KEY: this.file(key),
    }
  }

  remove(): void {
    rmSync(this.#path, { recursive: true })
  }
}
