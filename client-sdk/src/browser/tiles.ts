import type { TileWatcher } from '../ports.ts'

/** The browser's observers, as narrow as they are used. */
export interface TileObservers {
  pixelRatio(): number
  resize(run: () => void): Pick<ResizeObserver, 'observe' | 'disconnect'>
  intersection(
    run: (entries: readonly IntersectionObserverEntry[]) => void,
  ): Pick<IntersectionObserver, 'observe' | 'disconnect'>
}

/**
 * Watches elements by the browser's observers. An element outside the document counts as shown in
 * full: it feeds a canvas or a window that nobody can observe.
 */
export function browserTiles(observers: TileObservers): TileWatcher {
  return {
    watch(element, changed) {
      let onScreen = true
      const report = () => {
        if (!element.isConnected) {
          changed({ width: MOST_PIXELS, height: MOST_PIXELS, visible: true })
          return
        }
        const ratio = observers.pixelRatio()
        const width = pixels(element.clientWidth * ratio)
        const height = pixels(element.clientHeight * ratio)
        changed({ width, height, visible: onScreen && width > 0 && height > 0 })
      }
      const resize = observers.resize(report)
      const intersection = observers.intersection((entries) => {
        onScreen = entries.at(-1)?.isIntersecting ?? true
        report()
      })
      resize.observe(element)
      intersection.observe(element)
      return () => {
        resize.disconnect()
        intersection.disconnect()
      }
    },
  }
}

const MOST_PIXELS = 4_096

function pixels(size: number): number {
  return Math.min(MOST_PIXELS, Math.round(size))
}
