/// <reference types="node" />
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ParticipantId } from '@parley/protocol'
import { expect, it } from 'vitest'
import { metadataOf } from '../core/frames/frame-layout.ts'
import { encodeKeyId } from '../core/frames/key-id.ts'
import { deriveFrameKey, importBaseKey } from './frame-cipher.ts'
import { openFrame, sealFrame } from './frame-sealing.ts'
import { HeldKeys } from './held-keys.ts'

const PAGE = join(import.meta.dirname, '../../../docs/protocol/e2ee.md')
const camera = { source: 'camera', codec: 'vp8' } as const

it('[FRAME-6] the example of the page is what this client does', async () => {
  const frame = bytes(written('frame'))
  const kid = encodeKeyId({ incarnation: 0, source: 'camera', leaf: 2, epochByte: 261 & 0xff })
  expect(kid.toString(16)).toBe(written('KID'))
  const { salt } = await deriveFrameKey(await importBaseKey(bytes(written('base key'))), kid)
  expect(hex(salt)).toBe(written('key salt'))
  const metadata = metadataOf('camera', { clear: frame.subarray(0, 1), escaped: false })
  expect(hex(metadata)).toBe(written('metadata'))
  const keys = await member()
  await sealFrame(keys, camera, frame)
  const sealed = await sealFrame(keys, camera, frame)
  expect(typeof sealed === 'string' ? sealed : hex(sealed)).toBe(written('sealed'))
  const stream = { participant: 'two' as ParticipantId, source: 'camera' } as const
  expect(await openFrame(await member(), stream, bytes(written('sealed')))).toEqual(frame)
})

function written(name: string): string {
  const page = readFileSync(PAGE, 'utf8')
  return new RegExp(`^${name} +([0-9a-f]+)$`, 'm').exec(page)?.[1] ?? 'not on the page'
}

async function member(): Promise<HeldKeys> {
  const keys = new HeldKeys(() => undefined)
  const baseKey = bytes(written('base key'))
  const leaves = new Map([['two' as ParticipantId, 2]])
  const epochByte = 261 & 0xff
  await keys.install({ slot: 0, epochByte, baseKey, ownLeaf: 2, leaves, incarnation: 0 })
  keys.sendWith(0)
  return keys
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)))
}

function hex(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
