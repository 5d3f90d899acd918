import type { AnswerFrame, EventFrame, Welcome } from '@parley/protocol'
import { LightClient } from './light-client.ts'
import type { WireFormat } from './light-client.ts'
import { answerSdp, candidates, offerSdp } from './session-descriptions.ts'
import { benchToken } from './tokens.ts'

const MEDIA = { audio: true, video: true }

/** The parts of a call's life, in order. */
export const steps = ['connect', 'ring', 'accept', 'negotiate', 'resume', 'hang up'] as const
export type Step = (typeof steps)[number]

/** Told after each step, with the bytes of both people so far. */
export type OnStep = (step: Step, bytes: number) => void

/**
 * One call of two people over real sockets: they connect, one rings, the other accepts, they exchange
 * descriptions and candidates, one loses and resumes the connection, and it ends. With `onStep` each
 * step waits until the server is done with it.
 */
export async function liveCall(
  url: string,
  { name, format, onStep }: { name: string; format: WireFormat; onStep?: OnStep },
): Promise<void> {
  let before = 0
  const open: LightClient[] = []
  const did = async (step: Step) => {
    if (!onStep) return
    for (const client of open) await client.settled()
    const now = before + open.reduce((sum, client) => sum + bytesOf(client), 0)
    onStep(step, now)
  }
  const connect = async (user: string, resume?: object) => {
    const auth = { protocol: 1, token: benchToken(user), device: `${user}-device`, ...resume }
    // As above all: ids of the right shape, which the brands stand for.
    const connected = await LightClient.connect(url, auth as never, format)
    open.push(connected.client)
    return connected
  }
  const alice = await connect(`${name}-a`)
  const bob = await connect(`${name}-b`)
  await did('connect')

  const call = `call-${name}`
  const incoming = heard(bob.client, 'call.incoming')
  const started = seated(
    await alice.client.request('call.start', { call, users: [`${name}-b`], media: MEDIA }),
  )
  await incoming
  await did('ring')

  const accepted = seated(await bob.client.request('call.accept', { call, media: MEDIA }))
  await did('accept')

  const signal = async (from: LightClient, to: LightClient, peer: string, what: object) => {
    const arrived = heard(to, 'call.signal')
    ok(await from.request('call.signal', { call, to: peer, epoch: 0, signal: what }))
    await arrived
  }
  const description = (type: string, sdp: string) => ({
    description: { type, sdp },
    sources: { 0: 'microphone', 1: 'camera' },
    round: 1,
  })
  await signal(alice.client, bob.client, accepted, description('offer', offerSdp))
  await signal(bob.client, alice.client, started, description('answer', answerSdp))
  for (const candidate of candidates) {
    await signal(alice.client, bob.client, accepted, { candidate })
    await signal(bob.client, alice.client, started, { candidate })
  }
  await did('negotiate')

  before += bytesOf(alice.client)
  open.splice(open.indexOf(alice.client), 1)
  alice.client.close()
  const back = await connect(`${name}-a`, { resume: resumeOf(alice.welcome, alice.client) })
  if (back.welcome?.resumed !== 'replayed') throw new Error('the session was not resumed')
  await did('resume')

  const ended = heard(bob.client, 'call.ended')
  ok(await back.client.request('call.hangup', { call }))
  await ended
  await did('hang up')
  for (const client of open) client.close()
}

function bytesOf({ traffic }: LightClient): number {
  return traffic.sent + traffic.received
}

function resumeOf(welcome: Welcome | undefined, { lastSeq }: LightClient) {
  return { session: welcome?.session, key: welcome?.resumeKey, lastSeq }
}

function heard(client: LightClient, type: string): Promise<void> {
  return new Promise((resolve) => {
    client.onEvent = (frame: EventFrame) => {
      if (frame.type === type) resolve()
    }
  })
}

function ok(answer: AnswerFrame): unknown {
  if (!answer.ok) throw new Error(answer.error.message)
  return answer.data
}

function seated(answer: AnswerFrame): string {
  return (ok(answer) as { readonly participant: string }).participant
}
