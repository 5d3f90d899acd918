/** Randomness that can be repeated: a run prints its seed. */
export class SeededRandom {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to `below` - 1. */
  number(below: number): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) % below
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.number(256)))
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.number(items.length)]
    if (item === undefined) throw new Error('there is nothing to pick from')
    return item
  }
}

/** Bytes that were right, changed in a way that a careless reader does not expect. */
export function mutated(bytes: Uint8Array, random: SeededRandom): Buffer {
  let changed = Buffer.from(bytes)
  for (let step = random.number(4); step >= 0 && changed.length > 0; step--) {
    const at = random.number(changed.length)
    switch (random.number(7)) {
      case 0:
        changed[at] = random.number(256)
        break
      case 1:
        // Lengths and types stand at even places.
        changed.fill(
          random.pick([0, 0xff, 0x7f, 0x80]),
          at & ~1,
          Math.min((at & ~1) + 2, changed.length),
        )
        break
      case 2:
        changed = changed.subarray(0, at)
        break
      case 3:
        changed = Buffer.concat([changed, random.bytes(random.number(40))])
        break
      case 4:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at & ~3)])
        break
      case 5:
        changed = Buffer.concat([changed.subarray(0, at), random.bytes(4), changed.subarray(at)])
        break
      default:
        break
    }
  }
  return changed
}
