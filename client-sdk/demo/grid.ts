/** Size of a tile, in CSS pixels. */
export interface TileSize {
  readonly width: number
  readonly height: number
}

/** Cameras give 16:9. Less than this cuts faces off, unless the whole window is upright. */
const NARROWEST = 4 / 3
const NARROWEST_UPRIGHT = 3 / 4
const WIDEST = 16 / 9

/** The largest size at which all tiles fit into a floor without scrolling. */
export function tileSize(
  count: number,
  floor: { readonly width: number; readonly height: number },
  gap: number,
): TileSize {
  const upright = floor.height > floor.width
  if (upright && count === 1) return floor
  const narrowest = upright ? NARROWEST_UPRIGHT : NARROWEST
  let best: TileSize = { width: 0, height: 0 }
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns)
    const cellWidth = (floor.width - gap * (columns - 1)) / columns
    const cellHeight = (floor.height - gap * (rows - 1)) / rows
    const width = Math.min(cellWidth, cellHeight * WIDEST)
    const height = Math.min(cellHeight, width / narrowest)
    if (width > 0 && height > 0 && width * height > best.width * best.height) {
      best = { width: Math.floor(width), height: Math.floor(height) }
    }
  }
  return best
}
