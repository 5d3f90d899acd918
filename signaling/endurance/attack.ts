import { LightClient } from '../bench/light-client.ts'
import { benchToken } from '../bench/tokens.ts'
import { hostileSteps } from './hostile-messages.ts'

/** Messages of one connection: about as many as a session may send at once. */
const MESSAGES_PER_CONNECTION = 150

/** Sends so many hostile messages to a server, over as many connections as that takes. */
export async function attack(
  url: string,
  { seed, messages }: { readonly seed: number; readonly messages: number },
): Promise<number> {
  let sent = 0
  for (let round = 0; sent < messages; round++) {
    const count = Math.min(MESSAGES_PER_CONNECTION, messages - sent)
    const user = `mallory-${round % 40}`
    const auth = { protocol: 1, token: benchToken(user), device: 'evil' } as never
    const format = round % 2 === 0 ? 'json' : 'msgpack'
    let { client } = await LightClient.connect(url, auth, format)
    for (const { message, isBroken } of hostileSteps(seed + round, count, format)) {
      client.send(message)
      sent++
      if (!isBroken) continue
      // The server may close now; what follows goes over a fresh connection.
      await client.settled()
      client.close()
      client = (await LightClient.connect(url, auth, format)).client
    }
    await client.settled()
    client.close()
  }
  return sent
}
