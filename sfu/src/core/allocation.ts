import type { ConsumerId, LayerReason, TrackSource } from '@parley/protocol'

/**
 * A camera layer serves a tile up to this much larger than itself. Higher saves bandwidth and CPU;
 * lower is sharper.
 */
const CAMERA_UPSCALE = 1.25

/** Text does not survive upscaling. */
const SCREEN_UPSCALE = 1

/** Height of the best layer, as browsers capture by default. The layers below halve it. */
const CAMERA_HEIGHT = 720
const SCREEN_HEIGHT = 1_080

/** Tiles up to this height get half the frame rate: nobody sees it there, and it halves packets. */
const THUMBNAIL_HEIGHT = 120

/** Temporal layers of a thumbnail, and of everything else; mediasoup clamps to what exists. */
const HALF_RATE = 1
const FULL_RATE = 2

/** What a tile is taken to be until the subscriber tells: 360p, right for a small grid. */
const UNTOLD_TILE = { width: 640, height: 360, visible: true } as const

/**
 * Shares of the estimated bandwidth. mediasoup gives each stream one layer in this order and then
 * up to `priority` layers per round, so small numbers are weights and 255 is strictly first.
 */
const TILE_PRIORITY = 1
const SPEAKER_PRIORITY = 4
const SCREEN_PRIORITY = 255

/** A tile as its subscriber shows it, in device pixels. */
export interface Tile {
  readonly width: number
  readonly height: number
  readonly visible: boolean
}

/** One stream that a subscriber takes. */
export interface Stream {
  readonly consumer: ConsumerId
  readonly source: TrackSource
  /** Spatial layers that the publisher can send, 1 to 3. */
  readonly layers: number
  /** Its publisher speaks now. */
  readonly speaking: boolean
  /** Undefined until the subscriber tells its views. */
  readonly tile: Tile | undefined
}

/** What a subscriber gets of one stream, before bandwidth takes its share. */
export interface Allotment {
  readonly consumer: ConsumerId
  readonly paused: boolean
  readonly spatialLayer: number
  readonly temporalLayer: number
  readonly priority: number
  readonly reason: Exclude<LayerReason, 'bandwidth'>
}

/** Chooses layers for all streams of one subscriber. */
export function allocate(streams: readonly Stream[]): readonly Allotment[] {
  return streams.map(allotmentOf)
}

function allotmentOf(stream: Stream): Allotment {
  const { consumer, source, layers } = stream
  const tile = stream.tile ?? untoldTile(source)
  const top = layers - 1
  const hidden = !tile.visible
  const priority = priorityOf(stream)
  if (source === 'microphone' || source === 'screen-audio') {
    const reason = hidden ? 'not-watched' : 'full'
    return { consumer, paused: hidden, spatialLayer: 0, temporalLayer: 0, priority, reason }
  }
  const spatialLayer = hidden ? 0 : sufficientLayer(source, neededHeight(tile), layers)
  const temporalLayer = hidden || neededHeight(tile) <= THUMBNAIL_HEIGHT ? HALF_RATE : FULL_RATE
  const full = spatialLayer === top && temporalLayer === FULL_RATE
  const reason = hidden ? 'not-watched' : full ? 'full' : 'tile-size'
  return { consumer, paused: hidden, spatialLayer, temporalLayer, priority, reason }
}

/** A shared screen is there to be read, so it starts at its best. */
function untoldTile(source: TrackSource): Tile {
  return source === 'screen' ? { width: 1_920, height: SCREEN_HEIGHT, visible: true } : UNTOLD_TILE
}

/** Rows of a 16:9 picture that fills the tile. */
function neededHeight({ width, height }: Tile): number {
  return Math.max(height, (width * 9) / 16)
}

function sufficientLayer(source: 'camera' | 'screen', needed: number, layers: number): number {
  const best = source === 'screen' ? SCREEN_HEIGHT : CAMERA_HEIGHT
  const upscale = source === 'screen' ? SCREEN_UPSCALE : CAMERA_UPSCALE
  for (let layer = 0; layer < layers - 1; layer++) {
    const height = best / 2 ** (layers - 1 - layer)
    if (height * upscale >= needed) return layer
  }
  return layers - 1
}

function priorityOf({ source, speaking }: Stream): number {
  if (source === 'screen') return SCREEN_PRIORITY
  return speaking ? SPEAKER_PRIORITY : TILE_PRIORITY
}
