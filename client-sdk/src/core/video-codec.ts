import type { FrameCodec } from './frames/clear-part.ts'

/** What video can be sent in through a node. */
export type VideoCodec = Exclude<FrameCodec, 'opus'>

interface Codec {
  readonly kind: 'audio' | 'video'
  readonly mimeType: string
}

/** What a stream is sent in: the codec as both sides describe it. */
export interface ChosenCodec<C> {
  readonly name: FrameCodec
  readonly description: C
}

/** Chooses among what device and node share; undefined where nothing of it can be sealed. */
export function chooseCodec<C extends Codec>(
  kind: 'audio' | 'video',
  shared: readonly C[],
  wanted: VideoCodec,
): ChosenCodec<C> | undefined {
  const names = kind === 'audio' ? (['opus'] as const) : ([wanted, 'vp8', 'vp9', 'h264'] as const)
  for (const name of names) {
    const mimeType = `${kind}/${name}`
    const description = shared.find((codec) => codec.mimeType.toLowerCase() === mimeType)
    if (description) return { name, description }
  }
  return undefined
}
