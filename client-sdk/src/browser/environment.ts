import type { Environment, Link } from '../ports.ts'
import { browserDevices } from './devices.ts'
import { browserFrameEngine } from './frame-engine.ts'
import { browserPageMemory } from './page-memory.ts'
import { browserIdentityStore } from './identity-store.ts'
import { browserPush } from './push.ts'
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
    memory: browserPageMemory({
      storage: storageOfTab,
      // The type says always there, but they are missing on pages without HTTPS.
      locks: () => (globalThis.navigator as { locks?: LockManager } | undefined)?.locks,
      randomId,
    }),
    push: browserPush({
      // The type says always there, but they are missing on pages without HTTPS and on some phones.
      serviceWorkers: () =>
        'PushManager' in globalThis
          ? (globalThis.navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker
          : undefined,
      askPermission: () =>
        'Notification' in globalThis
          ? Notification.requestPermission()
          : Promise.resolve('denied' as const),
    }),
    frames: browserFrameEngine(workerUrl),
    frameKeys: undefined,
    identities: browserIdentityStore(),
    createPeerConnection: (configuration) => new RTCPeerConnection(configuration),
    createStream: (tracks) => new MediaStream([...tracks]),
    onNetworkChange: watchNetwork,
    onVisible: watchVisibility,
    onPageHide: (run) => listen('pagehide', run),
  }
}

/** 128 random bits in base64url: 22 characters. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const base64 = btoa(String.fromCharCode(...bytes))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Reading it throws where the browser blocks storage. */
function storageOfTab(): Storage | undefined {
  try {
    return typeof window === 'undefined' ? undefined : window.sessionStorage
  } catch {
    return undefined
  }
}

/** Back on a network, or from Wi-Fi to mobile; `type` is not told by every browser. */
function watchNetwork(run: () => void): () => void {
  const stopOnline = listen('online', run)
  const { connection } = globalThis.navigator as { connection?: EventTarget & { type?: string } }
  let type = connection?.type
  const changed = () => {
    // The event comes, too, when only the estimated speed has changed.
    if (connection?.type === type) return
    type = connection?.type
    run()
  }
  connection?.addEventListener('change', changed)
  return () => {
    stopOnline()
    connection?.removeEventListener('change', changed)
  }
}

function watchVisibility(run: () => void): () => void {
  if (typeof document === 'undefined') return () => undefined
  const changed = () => {
    if (document.visibilityState === 'visible') run()
  }
  document.addEventListener('visibilitychange', changed)
  return () => document.removeEventListener('visibilitychange', changed)
}

/** Nothing where there is no window, as in Node. */
function listen(event: 'online' | 'pagehide', run: () => void): () => void {
  if (typeof window === 'undefined') return () => undefined
  window.addEventListener(event, run)
  return () => window.removeEventListener(event, run)
}
