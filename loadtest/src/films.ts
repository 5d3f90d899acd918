import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { parseIvf } from './ivf.ts'
import type { Ivf } from './ivf.ts'
import { SetupError } from './setup-error.ts'

const FOLDER = join(import.meta.dirname, '..', 'testdata')

/** The simulcast layers, the smallest first. */
const FILES = ['camera-low.ivf', 'camera-medium.ivf', 'camera-high.ivf']

/** What cameras send, and the means to know one of its frames again. */
export interface Films {
  readonly layers: readonly Ivf[]
  /** Whether these bytes are a frame of the films. */
  has(frame: Uint8Array): boolean
}

/** Reads the films that come with the load tester. */
export function readFilms(): Films {
  const layers = FILES.map((name) => {
    const film = parseIvf(readFileSync(join(FOLDER, name)))
    if (film.ok) return film.value
    const { reason, offset } = film.error
    throw new SetupError(`${name} is damaged (${reason} at byte ${offset}): restore testdata/.`)
  })
  const known = new Set(layers.flatMap(({ frames }) => frames.map(fingerprint)))
  return { layers, has: (frame) => known.has(fingerprint(frame)) }
}

function fingerprint(frame: Uint8Array): string {
  return `${frame.length}/${crc32(frame)}`
}
