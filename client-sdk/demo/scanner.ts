/** In some browsers only, and not in the compiler's table. */
declare class BarcodeDetector {
  constructor(options: { formats: readonly string[] })
  static getSupportedFormats(): Promise<readonly string[]>
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>
}

/** Finds the text of a QR code in what a video shows now; undefined where there is none. */
type Reader = (video: HTMLVideoElement) => Promise<string | undefined>

/** How often the picture is looked at: oftener finds it hardly sooner, and warms the phone. */
const LOOK_EVERY_MS = 150
/** Larger pictures take longer to search, and hold no more of a code that is shown on a screen. */
const MOST_PIXELS_WIDE = 640

/** Whether this page may be given a camera to scan with. */
export function canScan(): boolean {
  return 'getUserMedia' in (navigator.mediaDevices as object)
}

/**
 * Looks for QR codes through the camera, at the back where there is one, until `signal` ends it.
 * Tells each new text once. Rejects where there is no camera.
 */
export async function scan(
  video: HTMLVideoElement,
  signal: AbortSignal,
  found: (text: string) => void,
): Promise<void> {
  const read = await reader()
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 1280 } },
  })
  let looking = false
  let last: string | undefined
  const look = async () => {
    if (looking || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return
    looking = true
    const text = await read(video).catch(() => undefined)
    looking = false
    if (text === undefined || text === last || signal.aborted) return
    last = text
    found(text)
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  const stop = () => {
    clearInterval(timer)
    for (const track of stream.getTracks()) track.stop()
    video.srcObject = null
  }
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  else video.srcObject = stream
}

/** The browser's own where it has one, else one in JavaScript, which is loaded only then. */
async function reader(): Promise<Reader> {
  const formats =
    'BarcodeDetector' in globalThis
      ? await BarcodeDetector.getSupportedFormats().catch(() => [])
      : []
  if (formats.includes('qr_code')) {
    const detector = new BarcodeDetector({ formats: ['qr_code'] })
    return async (video) => (await detector.detect(video))[0]?.rawValue
  }
  const { default: decodeQR } = await import('qr/decode.js')
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  return (video) => {
    const scale = Math.min(1, MOST_PIXELS_WIDE / Math.max(1, video.videoWidth))
    canvas.width = Math.round(video.videoWidth * scale)
    canvas.height = Math.round(video.videoHeight * scale)
    context?.drawImage(video, 0, 0, canvas.width, canvas.height)
    const picture = context?.getImageData(0, 0, canvas.width, canvas.height)
    // It throws where it finds none.
    return new Promise((resolve) => resolve(picture && decodeQR(picture)))
  }
}
