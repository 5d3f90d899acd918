/**
 * @typedef {object} Step A piece of work that the person at the terminal waits for.
 * @property {(done: number, total: number, unit?: string) => void} progress
 * @property {(summary: string) => void} finish
 * @property {() => void} abandon Clears what is shown; the failure is told elsewhere.
 *
 * @typedef {{ isTTY?: boolean, columns?: number, write: (text: string) => unknown }} Output
 */

/** How often a moving line is redrawn. Milliseconds. */
const REDRAW_EVERY_MS = 120

/** Without a terminal, a silent step says that it lives this often. Milliseconds. */
const STILL_WORKING_EVERY_MS = 60_000

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/**
 * Shows steps: on a terminal one moving line that becomes a line with its duration, elsewhere (a
 * log, CI) plain lines with one every ten per cent.
 */
export class Terminal {
  /** @param {{ output?: Output, env?: NodeJS.ProcessEnv, now?: () => number }} [options] */
  constructor({ output = process.stderr, env = process.env, now = Date.now } = {}) {
    this.output = output
    this.now = now
    this.moving = output.isTTY === true && env['TERM'] !== 'dumb'
    this.coloured = this.moving && !env['NO_COLOR']
    /** Whether anything was shown, that is, whether there was anything to do. */
    this.spoke = false
    /** @type {(() => void) | undefined} */
    this.clearMoving = undefined
  }

  /** @param {string} text */
  line(text) {
    this.clearMoving?.()
    this.spoke = true
    this.output.write(`${text}\n`)
  }

  /** @param {string} text */
  note(text) {
    this.line(`  ${this.paint(2, text)}`)
  }

  /**
   * @param {string} title What the step does, such as `Installing npm packages`.
   * @returns {Step}
   */
  begin(title) {
    const startedAt = this.now()
    const view = this.moving ? this.movingLine(title, startedAt) : this.plainLines(title)
    return {
      progress: view.progress,
      abandon: view.end,
      finish: (summary) => {
        view.end()
        const took = formatDuration(this.now() - startedAt)
        this.line(`${this.paint(32, '✓')} ${summary} ${this.paint(2, `(${took})`)}`)
      },
    }
  }

  /**
   * @param {string} title
   * @param {number} startedAt
   */
  movingLine(title, startedAt) {
    let frame = 0
    let detail = ''
    const clear = () => this.output.write('\r\u001b[K')
    const draw = () => {
      frame = (frame + 1) % SPINNER.length
      const took = formatDuration(this.now() - startedAt)
      const text = `${SPINNER[frame] ?? ''} ${title}${detail} ${took}`
      this.spoke = true
      this.output.write(`\r\u001b[K${text.slice(0, (this.output.columns ?? 80) - 1)}`)
    }
    const timer = setInterval(draw, REDRAW_EVERY_MS)
    this.clearMoving = clear
    draw()
    return {
      progress: (/** @type {number} */ done, /** @type {number} */ total, unit = '') => {
        detail = ` ${bar(done, total, 20)} ${unit === '%' ? `${done} %` : `${done}/${total}${unit}`}`
      },
      end: () => {
        clearInterval(timer)
        this.clearMoving = undefined
        clear()
      },
    }
  }

  /** @param {string} title */
  plainLines(title) {
    this.line(`${title} …`)
    let shownPercent = 0
    let detail = ''
    const timer = setInterval(() => this.line(`  still at it${detail}`), STILL_WORKING_EVERY_MS)
    timer.unref()
    return {
      progress: (/** @type {number} */ done, /** @type {number} */ total, unit = '') => {
        const percent = decile(done, total)
        detail = unit === '%' ? ` (${done} %)` : ` (${done}/${total}${unit})`
        if (percent <= shownPercent || percent === 100) return
        shownPercent = percent
        timer.refresh()
        this.line(`  ${percent} %${unit === '%' ? '' : detail}`)
      },
      end: () => clearInterval(timer),
    }
  }

  /**
   * @param {number} code An SGR code.
   * @param {string} text
   */
  paint(code, text) {
    return this.coloured ? `\u001b[${code}m${text}\u001b[0m` : text
  }
}

/**
 * A bar of `width` cells.
 * @param {number} done
 * @param {number} total
 * @param {number} width
 */
export function bar(done, total, width) {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0
  const filled = Math.round(share * width)
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}]`
}

/**
 * Progress in per cent, rounded down to tens.
 * @param {number} done
 * @param {number} total
 */
export function decile(done, total) {
  return total > 0 ? Math.min(100, Math.floor((done / total) * 10) * 10) : 0
}

/** @param {number} ms */
export function formatDuration(ms) {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}
