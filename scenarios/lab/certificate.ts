import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate for this machine's addresses, and the authority that signed it. */
export interface Certificate {
  readonly authorityFile: string
  readonly certFile: string
  readonly keyFile: string
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'parley-certificate-'))
  const file = (name: string) => join(folder, name)
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const names = addresses.map(({ address }) => `IP:${address.split('%', 1)[0] ?? ''}`)
  const make = (name: string, ...options: readonly string[]) => {
    const output = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
    const subject = ['-subj', `/CN=Parley lab ${name}`]
    execFileSync('openssl', ['req', '-x509', ...KEY, ...subject, ...output, ...options], {
      stdio: 'pipe',
    })
  }
  make('authority')
  // Firefox takes no certificate that is an authority's own, so the relay has one apart.
  make(
    'relay',
    ...['-CA', file('authority.pem'), '-CAkey', file('authority.key')],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', `subjectAltName=DNS:localhost,${names.join(',')}`],
  )
  return {
    authorityFile: file('authority.pem'),
    certFile: file('relay.pem'),
    keyFile: file('relay.key'),
  }
}

/** Makes a browser that keeps its certificates in `folder` trust the authority, as an operator would. */
export function trust({ authorityFile }: Certificate, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const database = ['-d', `sql:${folder}`]
  execFileSync('certutil', ['-N', ...database, '--empty-password'], { stdio: 'pipe' })
  execFileSync('certutil', ['-A', ...database, '-n', 'lab', '-t', 'CT,,', '-i', authorityFile], {
    stdio: 'pipe',
  })
}
