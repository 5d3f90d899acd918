// Runs in the test page: what decoders and cameras show.

/** Pictures are compared this small, so that what moves in them weighs little. */
const PICTURE_WIDTH = 32
const PICTURE_HEIGHT = 18

const decoderNames: Readonly<Record<string, string>> = {
  'video/vp8': 'vp8',
  'video/vp9': 'vp09.00.31.08',
  'video/h264': 'avc1.42e01f',
}

/** What a decoder shows last of encoded frames; undefined where it shows nothing. */
export async function decodeVideo(mimeType: string, frames: readonly string[]) {
  let picture: number[] | undefined
  const decoder = new VideoDecoder({
    output: (frame) => {
      picture = pictureOf(frame)
      frame.close()
    },
    error: () => undefined,
  })
  decoder.configure({ codec: decoderNames[mimeType.toLowerCase()] ?? '' })
  try {
    for (const [i, base64] of frames.entries()) {
      const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      const type = i === 0 ? 'key' : 'delta'
      decoder.decode(new EncodedVideoChunk({ type, timestamp: i * 33_000, data }))
    }
    await decoder.flush()
  } catch {
    // What cannot be decoded leaves what was shown before, if anything was.
  }
  return picture
}

/** A picture made small. */
export function pictureOf(image: CanvasImageSource): number[] {
  const canvas = new OffscreenCanvas(PICTURE_WIDTH, PICTURE_HEIGHT)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no canvas here')
  context.drawImage(image, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT)
  const { data } = context.getImageData(0, 0, PICTURE_WIDTH, PICTURE_HEIGHT)
  return [...data].filter((_value, i) => i % 4 !== 3)
}
