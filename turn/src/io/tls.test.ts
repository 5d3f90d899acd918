import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { certificateName } from './tls.ts'

function certificateFor(...alternatives: readonly string[]) {
  const names = alternatives.length > 0 ? ['-addext', `subjectAltName=${alternatives.join()}`] : []
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const out = ['-keyout', '/dev/null', '-days', '1', '-subj', '/CN=relay']
  const cert = execFileSync('openssl', ['req', '-x509', ...key, ...out, ...names], {
    encoding: 'utf8',
    stdio: 'pipe',
  })
  return { cert, key: '' }
}

test.each([
  [['IP:192.0.2.1', 'DNS:*.example.org', 'DNS:turn.example.org'], 'turn.example.org'],
  [['IP:192.0.2.1'], undefined],
  [['DNS:*.example.org'], undefined],
  [[], undefined],
])('the name of a certificate for %j is %s', (alternatives, name) => {
  expect(certificateName(certificateFor(...alternatives))).toBe(name)
})
