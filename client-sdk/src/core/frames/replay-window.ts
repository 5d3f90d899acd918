/**
 * How far behind the newest a frame may come. The layers of a camera at 90 frames a second need
 * less than a second; larger only lets the network deliver later.
 */
export const REPLAY_WINDOW = 1_024

const WORD_BITS = 32
const WORDS = REPLAY_WINDOW / WORD_BITS + 1

/**
 * Which counters of one key have been seen: RFC 6479's ring of words. Asked before a frame is
 * authenticated and told after, so that a forged counter moves nothing.
 */
export class ReplayWindow {
  readonly #words = new Uint32Array(WORDS)
  #newest = -1

  /** Whether a frame of this counter may be new. */
  allows(ctr: number): boolean {
    if (ctr > this.#newest) return true
    if (ctr <= this.#newest - REPLAY_WINDOW) return false
    return ((this.#words[wordOf(ctr)] ?? 0) & bitOf(ctr)) === 0
  }

  /** An authentic frame of this counter came. False where another one did meanwhile. */
  accept(ctr: number): boolean {
    if (!this.allows(ctr)) return false
    if (ctr > this.#newest) this.#moveTo(ctr)
    const word = wordOf(ctr)
    this.#words[word] = (this.#words[word] ?? 0) | bitOf(ctr)
    return true
  }

  #moveTo(ctr: number): void {
    const from = Math.floor(this.#newest / WORD_BITS)
    const steps = Math.min(Math.floor(ctr / WORD_BITS) - from, WORDS)
    for (let step = 1; step <= steps; step++) this.#words[(from + step + WORDS) % WORDS] = 0
    this.#newest = ctr
  }
}

function wordOf(ctr: number): number {
  return Math.floor(ctr / WORD_BITS) % WORDS
}

function bitOf(ctr: number): number {
  return 1 << (ctr % WORD_BITS)
}
