import { partsOf } from '../core/frames/clear-part.ts'
import { joinFrame, metadataOf, splitFrame } from '../core/frames/frame-layout.ts'
import { decodeKeyId } from '../core/frames/key-id.ts'
import { decodeSframeHeader } from '../core/frames/sframe-header.ts'
import { concat, openSframe, sealSframe } from './frame-cipher.ts'
import { LAST_COUNTER } from './held-keys.ts'
import type { HeldKeys } from './held-keys.ts'
import type { DropReason, ReceivingStream, SendingStream } from './worker-messages.ts'

/** The bytes that go on, or why none do. */
export type FrameResult = Uint8Array<ArrayBuffer> | DropReason

/** Seals one frame of an encoder. */
export async function sealFrame(
  keys: HeldKeys,
  { source, codec }: Pick<SendingStream, 'source' | 'codec'>,
  frame: Uint8Array,
): Promise<FrameResult> {
  const parts = partsOf(codec, frame)
  if (!parts) return 'not-a-frame'
  const sealing = keys.sending?.sealingKey(source)
  if (!sealing) return 'no-key'
  const key = await sealing.key
  const counter = sealing.takeCounter()
  if (counter === undefined) return 'used-up'
  const { secret, ...part } = parts
  const metadata = metadataOf(source, part)
  const header = { kid: sealing.kid, ctr: BigInt(counter) }
  const sframe = await sealSframe(key, header, { metadata, secret })
  return joinFrame({ ...part, sframe })
}

/** Opens one frame of the network, if it is authentic, new, and of whom and what it should be. */
export async function openFrame(
  keys: HeldKeys,
  stream: Pick<ReceivingStream, 'participant' | 'source'>,
  frame: Uint8Array,
): Promise<FrameResult> {
  const parts = splitFrame(frame)
  const header = parts && decodeSframeHeader(parts.sframe)
  const keyId = header && decodeKeyId(header.kid)
  if (!keyId || header.ctr > LAST_COUNTER) return 'not-sealed'
  const epoch = keys.byEpochByte(keyId.epochByte)
  if (!epoch) return 'unknown-epoch'
  if (!epoch.admits(keyId, stream)) return 'wrong-sender'
  const counter = Number(header.ctr)
  const opening = await epoch.openingKey(header.kid)
  if (!opening.window.allows(counter)) return 'replayed'
  const { sframe, ...part } = parts
  const metadata = metadataOf(stream.source, part)
  const secret = await openSframe(opening.key, header, { metadata, sframe })
  if (!secret) return 'forged'
  if (!epoch.accept(header.kid, opening, counter)) return 'replayed'
  return concat(part.clear, secret)
}
