/// <reference types="node" />
import type { ParticipantId, TrackSource } from '@parley/protocol'
import type { FrameCodec } from '../src/core/frames/clear-part.ts'
import { openFrame, sealFrame } from '../src/e2ee/frame-sealing.ts'
import { HeldKeys } from '../src/e2ee/held-keys.ts'
import { tableLines } from './table.ts'

/** How long a measurement is. */
export interface FrameRun {
  /** Frames of each kind and round. */
  readonly frames: number
  /** Ours and the bare cipher take turns; the median round counts. */
  readonly rounds: number
}

export const fullRun: FrameRun = { frames: 1_500, rounds: 9 }
export const quickRun: FrameRun = { frames: 200, rounds: 3 }

/** One way of doing one thing: time that passes per frame, and time of a core. */
interface Cost {
  readonly wallUs: number
  readonly cpuUs: number
}

/** What one kind of frame costs. */
export interface FrameCost {
  readonly name: string
  readonly bytes: number
  readonly overheadBytes: number
  readonly seal: Cost
  readonly open: Cost
  readonly bareSeal: Cost
  readonly bareOpen: Cost
}

interface Kind {
  readonly name: string
  readonly source: TrackSource
  readonly codec: FrameCodec
  readonly bytes: number
}

const SENDER = 'sender' as ParticipantId
const IV_BYTES = 12

const kinds: readonly Kind[] = [
  { name: 'Opus, 20 ms at 40 kbit/s', source: 'microphone', codec: 'opus', bytes: 100 },
  { name: 'VP8, small delta', source: 'camera', codec: 'vp8', bytes: 1_200 },
  { name: 'VP8, 1.5 Mbit/s at 30/s', source: 'camera', codec: 'vp8', bytes: 6_250 },
  { name: 'VP8, key frame', source: 'camera', codec: 'vp8', bytes: 60_000 },
  { name: 'VP9, layer frame', source: 'camera', codec: 'vp9', bytes: 6_250 },
  { name: 'H.264, delta', source: 'camera', codec: 'h264', bytes: 6_250 },
  { name: 'H.264, key frame', source: 'camera', codec: 'h264', bytes: 60_000 },
]

/** Measures all kinds of frames, one after the other as the worker does. */
export async function measureFrameCosts(
  run: FrameRun,
  say: (line: string) => void,
): Promise<readonly FrameCost[]> {
  const costs: FrameCost[] = []
  for (const kind of kinds) {
    say(`measuring ${kind.name}, ${kind.bytes} bytes`)
    costs.push(await measure(kind, run))
  }
  return costs
}

/** The figures as a table. */
export function formatFrameCosts(costs: readonly FrameCost[]): string {
  const header = [
    'frame',
    'bytes',
    'adds',
    'seal µs',
    'bare µs',
    'ratio',
    'open µs',
    'bare µs',
    'ratio',
    'seals/s/core',
    'opens/s/core',
  ]
  const rows = costs.map(({ name, bytes, overheadBytes, seal, open, bareSeal, bareOpen }) => [
    name,
    String(bytes),
    `+${overheadBytes}`,
    ...compare(seal, bareSeal),
    ...compare(open, bareOpen),
    perCore(seal),
    perCore(open),
  ])
  return [
    'Frames, sealed and opened one after the other. µs: time until the next can begin. Bare: WebCrypto',
    'AES-128-GCM of the same bytes in the same run, in turns. A core: CPU time of the whole process.',
    '',
    ...tableLines(header, rows),
    '',
  ].join('\n')
}

async function measure(kind: Kind, run: FrameRun): Promise<FrameCost> {
  const plain = frameOf(kind)
  const sender = await member()
  const receiver = await member()
  const bare = await bareCipher()
  const rounds: Omit<FrameCost, 'name' | 'bytes' | 'overheadBytes'>[] = []
  let overheadBytes = 0
  // The first round warms up what is compiled while it runs.
  for (let round = 0; round <= run.rounds; round++) {
    const sealed: Uint8Array[] = []
    const seal = await time(run.frames, async () => {
      sealed.push(must(await sealFrame(sender, kind, plain)))
    })
    const open = await time(run.frames, async (i) => {
      must(await openFrame(receiver, { ...kind, participant: SENDER }, must(sealed[i])))
    })
    const encrypted: ArrayBuffer[] = []
    const bareSeal = await time(run.frames, async (i) => {
      encrypted.push(await bare.encrypt(plain, i))
    })
    const bareOpen = await time(run.frames, (i) => bare.decrypt(must(encrypted[i]), i))
    overheadBytes = must(sealed.at(-1)).length - plain.length
    if (round > 0) rounds.push({ seal, open, bareSeal, bareOpen })
  }
  const median = (of: 'seal' | 'open' | 'bareSeal' | 'bareOpen'): Cost => ({
    wallUs: middle(rounds.map((round) => round[of].wallUs)),
    cpuUs: middle(rounds.map((round) => round[of].cpuUs)),
  })
  return {
    name: kind.name,
    bytes: kind.bytes,
    overheadBytes,
    seal: median('seal'),
    open: median('open'),
    bareSeal: median('bareSeal'),
    bareOpen: median('bareOpen'),
  }
}

async function time(frames: number, work: (frame: number) => Promise<unknown>): Promise<Cost> {
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  for (let i = 0; i < frames; i++) await work(i)
  const wallUs = ((performance.now() - before) * 1_000) / frames
  const { user, system } = process.cpuUsage(cpuBefore)
  return { wallUs, cpuUs: (user + system) / frames }
}

async function member(): Promise<HeldKeys> {
  const keys = new HeldKeys(() => undefined)
  const leaves = new Map([[SENDER, 0]])
  const baseKey = new Uint8Array(16).fill(1)
  await keys.install({ slot: 0, epochByte: 1, baseKey, ownLeaf: 0, leaves, incarnation: 0 })
  keys.sendWith(0)
  return keys
}

async function bareCipher() {
  const algorithm = { name: 'AES-GCM', length: 128 }
  const key = await crypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt'])
  const parameters = (frame: number) => {
    const iv = new Uint8Array(IV_BYTES)
    new DataView(iv.buffer).setUint32(0, frame)
    return { name: 'AES-GCM', iv, tagLength: 128 }
  }
  return {
    encrypt: (bytes: Uint8Array<ArrayBuffer>, frame: number) =>
      crypto.subtle.encrypt(parameters(frame), key, bytes),
    decrypt: (bytes: ArrayBuffer, frame: number) =>
      crypto.subtle.decrypt(parameters(frame), key, bytes),
  }
}

/** Bytes as an encoder gives them: a header, and then what looks like noise. */
function frameOf({ codec, bytes }: Kind): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(bytes)
  let state = 1
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    // No zeros: H.264 has no start codes inside a slice.
    frame[i] = 1 + ((state >>> 16) % 255)
  }
  if (codec === 'vp8') frame[0] = 1
  if (codec === 'h264') frame.set([0, 0, 0, 1, 0x65, 0x88, 0xff])
  return frame
}

function compare(ours: Cost, bare: Cost): string[] {
  const ratio = (ours.wallUs / bare.wallUs).toFixed(2)
  return [ours.wallUs.toFixed(0), bare.wallUs.toFixed(0), `${ratio}×`]
}

function perCore({ cpuUs }: Cost): string {
  return (1e6 / cpuUs).toFixed(0)
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

function must<T>(value: T | string | undefined): T {
  if (value === undefined || typeof value === 'string') throw new Error(`dropped: ${String(value)}`)
  return value
}
