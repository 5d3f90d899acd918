import { fail, ok } from '@parley/protocol'
import type { Result } from '@parley/protocol'
import type { Log } from '@parley/service'
import { Redis } from 'ioredis'

/**
 * How long a command may take. Longer rides over a busy Redis, shorter tells people sooner that it is
 * away.
 */
const COMMAND_TIMEOUT_MS = 1_000

/** With a command under way and nothing heard for this long, the connection is given up for a new one. */
const SILENCE_MS = 1_500

/** How often an idle connection is tried, so that a hung Redis is noticed without anybody waiting. */
const PING_EVERY_MS = 1_000

/** Pause before the nth attempt: this, doubled each time, up to the most, then jittered by half. */
const RETRY_MS = 50
const RETRY_MOST_MS = 1_000

/** Commands under way at once. More hides a slow Redis in a queue; none is refused in normal work. */
const MOST_UNDER_WAY = 10_000

/** Begins each key and channel, so that a Redis can be shared with other programs. */
const PREFIX = 'parley:'

/** A key or channel of ours. */
export function redisKey(...parts: readonly (string | number)[]): string {
  return PREFIX + parts.join(':')
}

/** Called with each message of a channel. */
export type ChannelListener = (message: string) => void

/** What happened, for whoever counts. */
export interface RedisObserver {
  up(isUp: boolean): void
  failed(): void
}

/** What a connection is made with. */
export interface RedisConnectionOptions {
  readonly url: URL
  readonly log: Log
  readonly observer?: RedisObserver
}

/**
 * The one connection to Redis of this process. It connects in the background, heals by itself, and
 * while Redis is away every command fails at once: nobody waits for a store that may come back in ten
 * minutes. It counts as up once all subscriptions are made, so that who sees it up misses no message.
 */
export class RedisConnection {
  readonly #redis: Redis
  readonly #log: Log
  readonly #observer: RedisObserver | undefined
  readonly #host: string
  readonly #channels = new Map<string, ChannelListener>()
  readonly #stateListeners = new Set<(isUp: boolean) => void>()
  readonly #ping: NodeJS.Timeout
  #isUp = false
  #underWay = 0
  /** Why it is not up, as the log and `/readyz` say it. */
  #trouble = 'not connected yet'

  constructor({ url, log, observer }: RedisConnectionOptions) {
    this.#log = log
    this.#observer = observer
    this.#host = url.host
    this.#redis = new Redis(url.href, {
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: SILENCE_MS,
      socketTimeout: SILENCE_MS,
      // A command of before an outage must not be done after it: the world has moved on.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // Done here before the connection counts as up.
      autoResubscribe: false,
      retryStrategy: (attempt) => {
        const most = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** Math.min(attempt, 10))
        return most / 2 + Math.random() * (most / 2)
      },
    })
    observer?.up(false)
    this.#redis.on('ready', () => void this.#onReady())
    this.#redis.on('close', () => this.#setUp(false))
    this.#redis.on('error', (error) => {
      this.#trouble = error.message === '' ? 'no connection' : error.message
      log.debug({ redis: this.#host, reason: error.message }, 'Redis connection failed')
    })
    this.#redis.on('message', (channel: string, message: string) => {
      this.#channels.get(channel)?.(message)
    })
    this.#ping = setInterval(() => {
      if (this.#isUp) void this.run((redis) => redis.ping())
    }, PING_EVERY_MS)
    this.#ping.unref()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Why it is not up, for people. */
  get trouble(): string {
    return `Redis at ${this.#host}: ${this.#trouble}`
  }

  /** Calls back on each change, and now if it is up already. Gives back the end of it. */
  onState(listener: (isUp: boolean) => void): () => void {
    this.#stateListeners.add(listener)
    if (this.#isUp) listener(true)
    return () => this.#stateListeners.delete(listener)
  }

  /** Runs a command, or several that belong together. Never rejects: away means `store-unavailable`. */
  async run<T>(command: (redis: Redis) => Promise<T>): Promise<Result<T>> {
    if (!this.#isUp || this.#underWay >= MOST_UNDER_WAY) return this.#unavailable()
    this.#underWay += 1
    try {
      return ok(await command(this.#redis))
    } catch (error) {
      this.#log.debug({ err: error }, 'Redis command failed')
      return this.#unavailable()
    } finally {
      this.#underWay -= 1
    }
  }

  /** Listens to a channel, through every reconnection. One listener a channel. */
  async subscribe(channel: string, listener: ChannelListener): Promise<void> {
    this.#channels.set(channel, listener)
    // While it is away `#onReady` does it.
    await this.run((redis) => redis.subscribe(channel))
  }

  close(): void {
    clearInterval(this.#ping)
    this.#stateListeners.clear()
    this.#redis.disconnect()
  }

  async #onReady(): Promise<void> {
    try {
      const channels = [...this.#channels.keys()]
      if (channels.length > 0) await this.#redis.subscribe(...channels)
      // It may be gone again by now; then `close` has come, and `ready` comes again.
      if (this.#redis.status === 'ready') this.#setUp(true)
    } catch (error) {
      this.#log.debug({ err: error }, 'Redis subscriptions failed')
      this.#redis.disconnect(true)
    }
  }

  #setUp(isUp: boolean): void {
    if (this.#isUp === isUp) return
    this.#isUp = isUp
    this.#observer?.up(isUp)
    if (isUp) this.#log.info({ redis: this.#host }, 'Redis connected')
    else this.#log.warn({ redis: this.#host }, 'Redis is away; calls go on')
    for (const listener of this.#stateListeners) listener(isUp)
  }

  #unavailable() {
    this.#observer?.failed()
    return fail('store-unavailable')
  }
}
