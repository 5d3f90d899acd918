/** A reason why a run cannot begin, in a sentence that says what to do. */
export class SetupError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SetupError'
  }
}
