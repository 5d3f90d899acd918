import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** Prometheus metrics of one process. Labels never hold user or room ids: their number is unbounded. */
export class Metrics {
  readonly #registry = new Registry()

  /** Starts the process's own gauges (CPU, memory, event loop); call once per process. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  counter<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  /** `collect`, when given, sets the gauge at each scrape. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    {
      labelNames = [],
      collect,
    }: { labelNames?: readonly Label[]; collect?: (gauge: Gauge<Label>) => void } = {},
  ): Gauge<Label> {
    return new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      ...(collect && {
        collect(this: Gauge<Label>) {
          collect(this)
        },
      }),
    })
  }

  /** `buckets` in the unit that the name ends with. */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    { labelNames = [], buckets }: { labelNames?: readonly Label[]; buckets: number[] },
  ): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] })
  }

  /** The Prometheus text format. */
  async text(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() }
  }
}
