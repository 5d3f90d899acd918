import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Sends a file below `root`; `false` when there is none. Never leaves `root`. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { root, path }: { readonly root: string; readonly path: string },
): Promise<boolean> {
  const relative = normalize(decodeSafely(path))
  if (relative.startsWith('..') || relative.includes(`${sep}..`) || relative.includes('\0')) {
    return false
  }
  const file = join(root, relative)
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) return false
  // Bundles carry a hash in their names; pages and sdk.js do not and must be asked for again.
  const lasting = relative.includes(`assets${sep}`)
  const etag = `"${found.size.toString(36)}-${Math.floor(found.mtimeMs).toString(36)}"`
  response.setHeader('etag', etag)
  response.setHeader('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return true
  }
  response.writeHead(200, {
    'content-type': CONTENT_TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': found.size,
    'x-content-type-options': 'nosniff',
  })
  if (request.method === 'HEAD') response.end()
  else
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response)
  return true
}

function decodeSafely(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return '..'
  }
}
