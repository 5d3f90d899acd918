/** A frame as it is sealed: start codes of four bytes each up to the first slice. */
export interface H264Frame {
  readonly bytes: Uint8Array
  /** What must stay readable: all before the first slice, and of that its header up to `pps_id`. */
  readonly clear: number
}

interface StartCode {
  readonly at: number
  /** Where the NAL unit begins. */
  readonly end: number
}

const LONG_START_CODE = [0, 0, 0, 1] as const
/** `first_mb_in_slice`, `slice_type` and `pic_parameter_set_id` come first in a slice header. */
const FIELDS_THROUGH_PPS_ID = 3

/**
 * Finds what packetizers and depacketizers read of an Annex B frame: NAL headers, parameter sets,
 * and the parameter set that the slice names. They write start codes of four bytes whatever they
 * were, and the clear part is authenticated, so it is brought into that form first. Undefined where
 * there is no slice, or it is cut short.
 */
export function readH264(frame: Uint8Array): H264Frame | undefined {
  const units: Uint8Array[] = []
  let start = nextStartCode(frame, 0)
  if (start?.at !== 0) return undefined
  while (start) {
    // What follows the first slice is sealed with it, and need not be looked at.
    if (isSlice(frame[start.end])) return sealedFrom(units, frame.subarray(start.end))
    const next = nextStartCode(frame, start.end)
    units.push(frame.subarray(start.end, next?.at ?? frame.length))
    start = next
  }
  return undefined
}

function sealedFrom(units: readonly Uint8Array[], slice: Uint8Array): H264Frame | undefined {
  const sliceClear = lengthThroughPpsId(slice)
  if (sliceClear === undefined) return undefined
  const all = [...units, slice]
  const total = all.reduce((sum, unit) => sum + LONG_START_CODE.length + unit.length, 0)
  const bytes = new Uint8Array(total)
  let length = 0
  for (const unit of all) {
    bytes.set(LONG_START_CODE, length)
    bytes.set(unit, length + LONG_START_CODE.length)
    length += LONG_START_CODE.length + unit.length
  }
  return { bytes, clear: total - slice.length + sliceClear }
}

/** NAL unit types 1 to 5 carry the picture. */
function isSlice(header: number | undefined): boolean {
  const type = (header ?? 0) & 0x1f
  return type >= 1 && type <= 5
}

function nextStartCode(bytes: Uint8Array, from: number): StartCode | undefined {
  for (let i = from; i + 2 < bytes.length; i++) {
    if (bytes[i] !== 0 || bytes[i + 1] !== 0 || bytes[i + 2] !== 1) continue
    const at = i > from && bytes[i - 1] === 0 ? i - 1 : i
    return { at, end: i + 3 }
  }
  return undefined
}

/** Bytes of a slice through the one that its `pic_parameter_set_id` ends in. */
function lengthThroughPpsId(slice: Uint8Array): number | undefined {
  const bits = new BitReader(slice)
  for (let field = 0; field < FIELDS_THROUGH_PPS_ID; field++) {
    if (!bits.skipExpGolomb()) return undefined
  }
  return bits.bytesRead
}

/** Reads bits after the NAL header, leaving out emulation prevention bytes. */
class BitReader {
  readonly #bytes: Uint8Array
  #next = 1
  #bitsLeft = 0
  #zeros = 0
  #current = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get bytesRead(): number {
    return this.#next
  }

  /** Skips one `ue(v)`; false at the end of the bytes or where it is longer than 32 bits. */
  skipExpGolomb(): boolean {
    let leading = 0
    for (let bit = this.#bit(); bit !== 1; bit = this.#bit()) {
      if (bit === undefined || ++leading > 32) return false
    }
    for (; leading > 0; leading--) if (this.#bit() === undefined) return false
    return true
  }

  #bit(): number | undefined {
    if (this.#bitsLeft === 0 && !this.#load()) return undefined
    this.#bitsLeft--
    return (this.#current >> this.#bitsLeft) & 1
  }

  #load(): boolean {
    let byte = this.#bytes[this.#next++]
    if (this.#zeros >= 2 && byte === 3) {
      this.#zeros = 0
      byte = this.#bytes[this.#next++]
    }
    if (byte === undefined) return false
    this.#zeros = byte === 0 ? this.#zeros + 1 : 0
    this.#current = byte
    this.#bitsLeft = 8
    return true
  }
}
