import type { Environment, Link } from '../ports.ts'
import { browserDevices } from './devices.ts'
import { browserFrameEngine } from './frame-engine.ts'
import { browserTiles } from './tiles.ts'

/** The real surroundings: the only place that reads the browser's globals, and only when used. */
export function browserEnvironment(link: Link, workerUrl: string | undefined): Environment {
  return {
    link,
    clock: {
      now: () => Date.now(),
      after(delayMs, run) {
        const timer = setTimeout(run, delayMs)
        return () => clearTimeout(timer)
      },
    },
    random: {
      fraction: () => Math.random(),
      id: randomId,
    },
    devices: browserDevices(() => {
      // The type says always there, but it is missing on pages without HTTPS.
      const { mediaDevices } = navigator as { mediaDevices?: MediaDevices }
      return mediaDevices
    }),
    tiles: browserTiles({
      pixelRatio: () => globalThis.devicePixelRatio,
      resize: (run) => new ResizeObserver(run),
      intersection: (run) => new IntersectionObserver(run),
    }),
    frames: browserFrameEngine(workerUrl),
    frameKeys: undefined,
    createPeerConnection: (configuration) => new RTCPeerConnection(configuration),
    createStream: (tracks) => new MediaStream([...tracks]),
    onNetworkBack: (run) => listen('online', run),
    onPageHide: (run) => listen('pagehide', run),
  }
}

/** 128 random bits in base64url: 22 characters. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const base64 = btoa(String.fromCharCode(...bytes))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Nothing where there is no window, as in Node. */
function listen(event: 'online' | 'pagehide', run: () => void): () => void {
  if (typeof window === 'undefined') return () => undefined
  window.addEventListener(event, run)
  return () => window.removeEventListener(event, run)
}
