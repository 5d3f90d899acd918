import type { Transport } from '../conformance/carrier.ts'
import { openCarrier } from '../conformance/carrier.ts'
import {
  attr,
  build,
  channelData,
  messageClass,
  method,
  newId,
  number32,
  text,
  xorAddress,
} from '../conformance/stun-bytes.ts'
import type { Subject } from '../conformance/trial.ts'
import { Trial, udp } from '../conformance/trial.ts'
import type { SeededRandom } from './random.ts'
import { mutated } from './random.ts'

const peer = { host: '127.0.0.1', port: 9 }

/**
 * Sends mutated messages to a live server from a client with an allocation, then asks it for a Binding
 * over a new carrier. Throws when there is no answer. Gives back how many messages it sent.
 */
export async function fuzzSockets(
  subject: Subject,
  { transport, random, messages }: { transport: Transport; random: SeededRandom; messages: number },
): Promise<number> {
  const trial = new Trial(subject, transport)
  try {
    const client = await trial.client()
    // A port may come back whose allocation was not released, as the request for it was lost.
    const code = await client.code(method.allocate, [udp])
    if (code !== 0 && code !== 437) throw new Error(`Allocate: ${code}`)
    await client.bind(0x4000, peer)
    const signed = (type: number, attrs: Parameters<typeof client.signed>[1] = []) => {
      const id = newId()
      return build({ type, id, attrs: [...attrs, ...client.identity()], key: client.key })
    }
    const makers: readonly (() => Buffer)[] = [
      () => build({ type: method.binding }),
      () => signed(method.allocate, [udp]),
      () => signed(method.refresh),
      () => signed(method.createPermission, [xorAddress(attr.xorPeerAddress, peer, newId())]),
      () => build({ type: method.send | messageClass.indication, attrs: [text(attr.data, 'x')] }),
      () => channelData(0x4000, 'payload!'),
      () => random.bytes(random.number(200)),
    ]
    for (let sent = 0; sent < messages; sent++) {
      client.send(mutated(random.pick(makers)(), random))
    }
    const probe = await openCarrier(transport, subject.ports[transport] ?? 0)
    probe.send(build({ type: method.binding }))
    const answer = await probe.next()
    // Allocations of clients that only vanish stay for ten minutes, and would look like a leak.
    client.send(signed(method.refresh, [number32(attr.lifetime, 0)]))
    probe.close()
    if (answer.readUInt16BE(0) !== (method.binding | messageClass.success)) {
      throw new Error('the server answers wrongly')
    }
    return messages
  } finally {
    trial.close()
  }
}
