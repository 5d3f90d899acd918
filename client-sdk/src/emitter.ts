/** A typed emitter. A listener that throws disturbs neither the others nor the SDK. */
export class Emitter<Events extends { readonly [Name in keyof Events]: readonly unknown[] }> {
  readonly #listeners: { [Name in keyof Events]?: Set<(...args: Events[Name]) => void> } = {}

  /** Registers a listener and returns the function that takes it away again. */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): () => void {
    const set = (this.#listeners[name] ??= new Set())
    set.add(listener)
    return () => this.off(name, listener)
  }

  /** As {@link on}, for the next event only. */
  once<Name extends keyof Events>(
    name: Name,
    listener: (...args: Events[Name]) => void,
  ): () => void {
    const off = this.on(name, (...args) => {
      off()
      listener(...args)
    })
    return off
  }

  off<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): void {
    this.#listeners[name]?.delete(listener)
  }

  protected hasListener(name: keyof Events): boolean {
    return (this.#listeners[name]?.size ?? 0) > 0
  }

  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#listeners[name] ?? [])]) {
      try {
        listener(...args)
      } catch (error) {
        // Reported as an uncaught error of the app's, as DOM events do.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
