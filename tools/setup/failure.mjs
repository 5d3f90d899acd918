/**
 * A failure that a person can act on: one line that says what went wrong, then what to do about it.
 * Anything else that is thrown is a bug of ours and shows its stack.
 */
export class SetupFailure extends Error {
  /**
   * @param {string} message One sentence, without a full stop.
   * @param {{ advice?: readonly string[], log?: string }} [details] `log` is the path of the failed
   *   command's whole output.
   */
  constructor(message, { advice = [], log } = {}) {
    super(message)
    this.name = 'SetupFailure'
    /** @type {readonly string[]} */
    this.advice = advice
    /** @type {string | undefined} */
    this.log = log
  }
}
