import { execFile } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'

const SCRIPTS: ReadonlyMap<string, string> = new Map(
  ['page.ts', 'page-pictures.ts', 'page-tricks.ts'].map((name) => [
    `/${name}`,
    stripTypeScriptTypes(readFileSync(join(import.meta.dirname, name), 'utf8')),
  ]),
)

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')
let building: Promise<string> | undefined

/** The SDK with keys that stories give out, built when the first one asks for it. */
function labSdk(): Promise<string> {
  building ??= (async () => {
    const vite = join(ROOT, 'node_modules/vite/bin/vite.js')
    const args = [vite, 'build', '--logLevel', 'warn', '--config', 'vite.lab.config.ts']
    await run(process.execPath, args, { cwd: join(ROOT, 'client-sdk') })
    return readFileSync(join(ROOT, 'client-sdk/dist/lab/sdk.js'), 'utf8')
  })()
  return building
}

/** Serves the test page from an origin of its own, as an app that embeds the SDK has one. */
export async function servePage(
  address = '127.0.0.1',
): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const script = SCRIPTS.get(request.url ?? '')
    if (script !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    } else if (request.url === '/lab-sdk.js') {
      const type = { 'content-type': 'text/javascript' }
      labSdk().then(
        (text) => response.writeHead(200, type).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    } else if (request.url === '/e2ee-worker.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' })
      createReadStream(join(ROOT, 'client-sdk/dist/e2ee-worker.js')).pipe(response)
    } else {
      response
        .writeHead(200, {
          'content-type': 'text/html',
          ...(request.url === '/strict' && { 'content-security-policy': "worker-src 'self'" }),
        })
        .end('<!doctype html><title>Lab</title><script type="module" src="/page.ts"></script>')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  // A listening TCP server has an address object.
  const { port } = server.address() as AddressInfo
  const host = address === '127.0.0.1' ? 'localhost' : address
  return { url: `http://${host}:${port}`, close: () => server.close() }
}
