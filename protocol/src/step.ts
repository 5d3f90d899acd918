/** What a machine answers: its next state, and the orders for its shell, to be run in this order. */
export interface Step<State, Effect> {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** A step that changes nothing and orders nothing. */
export function stay<State>(state: State): Step<State, never> {
  return { state, effects: [] }
}

/** Makes the compiler prove that a switch is exhaustive. */
export function unreachable(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`)
}
