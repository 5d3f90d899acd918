import { lookup } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from './public-address.ts'

/** A service that has not answered by then is taken to be away. */
const TIMEOUT_MS = 10_000

/** What of an answer is read; more is nothing that we asked for. */
const MOST_ANSWER_BYTES = 64 * 1024

/** Connections to one host at a time. */
const MOST_SOCKETS = 32

/** What is sent where. */
export interface Post {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** The address came from outside: only public ones are connected to. */
  readonly publicOnly: boolean
}

/** What came back. */
export interface PostAnswer {
  readonly status: number
  /** Seconds that the service asks to be left alone for, if it does. */
  readonly retryAfterS: number | undefined
  readonly text: string
}

/** Sends requests to services of the app and of browsers. Follows no redirects. */
export class Outbound {
  readonly #agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
  }
  // Agents keep a connection for whoever asks next, so the guarded ones are apart.
  readonly #guarded = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
  }

  /** Rejects where no answer comes: no such host, no connection, a forbidden address, too slow. */
  post({ url, headers, body, publicOnly }: Post): Promise<PostAnswer> {
    const { protocol } = url
    if (protocol !== 'http:' && protocol !== 'https:') {
      return Promise.reject(new Error(`cannot send to ${protocol}`))
    }
    const host = url.hostname.replace(/^\[|\]$/g, '')
    // An address in the URL is connected to without being looked up.
    if (publicOnly && isIP(host) !== 0 && !isPublicAddress(host)) {
      return Promise.reject(new Error('the address is not public'))
    }
    const send = protocol === 'https:' ? httpsRequest : httpRequest
    const agents = publicOnly ? this.#guarded : this.#agents
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method: 'POST',
        agent: agents[protocol],
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(publicOnly && { lookup: lookupPublic }),
      })
      request.on('error', reject)
      request.on('response', (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes <= MOST_ANSWER_BYTES) chunks.push(chunk)
          else response.destroy(new Error('the answer is too large'))
        })
        response.on('error', reject)
        response.on('end', () => {
          const retryAfter = Number(response.headers['retry-after'])
          resolve({
            status: response.statusCode ?? 0,
            retryAfterS: retryAfter > 0 ? retryAfter : undefined,
            text: Buffer.concat(chunks).toString('utf8'),
          })
        })
      })
      request.end(body)
    })
  }

  close(): void {
    for (const agent of [...Object.values(this.#agents), ...Object.values(this.#guarded)]) {
      agent.destroy()
    }
  }
}

/** Resolves a name to its public addresses: checked here, at the connection, no name can change it. */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const usable = error ? [] : addresses.filter(({ address }) => isPublicAddress(address))
    const [first] = usable
    if (error) callback(error, '')
    else if (!first) callback(new Error(`${hostname} has no public address`), '')
    else if (options.all === true) callback(null, usable)
    else callback(null, first.address, first.family)
  })
}
