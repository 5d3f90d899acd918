import { inspect } from 'node:util'

const REDACTED = '[secret]'

/** A value that never prints: logs, errors and JSON show `[secret]`; only `reveal()` gives it out. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** Gives the value to the code that signs or verifies with it. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
