import type { ParticipantId, TrackSource } from '@parley/protocol'
import type { FrameCodec } from '../core/frames/clear-part.ts'
import { epochByteOf } from '../core/frames/key-id.ts'
import { epochRing, epochRingDeadline, newEpochRing } from '../core/frames/epoch-ring.ts'
import type { EpochRingEffect, EpochRingEvent } from '../core/frames/epoch-ring.ts'
import { LOOK_EVERY_MS } from '../core/frames/stream-proof.ts'
import { Emitter } from '../emitter.ts'
import { CallError } from '../errors.ts'
import type { Clock, FrameEngine, FrameWorkerLink } from '../ports.ts'
import type { FrameEpoch, FrameKeys } from './frame-keys.ts'
import { GuardedStream } from './guarded-stream.ts'
import type { FromWorker, ReceivingStream, StreamSpec } from './worker-messages.ts'

/** What guards the frames of a call. */
export interface FrameGuardOptions {
  readonly keys: FrameKeys
  readonly engine: FrameEngine
  readonly clock: Clock
}

interface FrameGuardEvents {
  /** `keyed` or `broken` changed. */
  changed: []
  failed: [error: CallError]
  /** The streams whose frames come and cannot be opened are others now. */
  unreadable: [streams: readonly ReceivingStream[]]
}

/**
 * Sees to it that every frame of a call that goes through a node is sealed and opened in the
 * worker: gives it the keys, puts its transforms in place, and stops what passes it by.
 */
export class FrameGuard extends Emitter<FrameGuardEvents> {
  readonly #options: FrameGuardOptions
  readonly #worker: FrameWorkerLink
  readonly #streams = new Map<number, GuardedStream>()
  readonly #secrets = new Map<number, FrameEpoch>()
  readonly #stopListening: () => void
  #ring = newEpochRing
  #nextStream = 0
  #cancelTick: () => void = () => undefined
  #cancelLook: () => void
  #heard = false
  #broken = false
  #closed = false
  #toldUnreadable = ''

  /** Throws `encryption-unsupported` where the browser cannot. */
  constructor(options: FrameGuardOptions) {
    super()
    const { engine, clock, keys } = options
    this.#options = options
    this.#worker = engine.startWorker({
      told: (message) => this.#onMessage(message),
      failed: (error) => this.#fail(error),
    })
    this.#cancelLook = clock.after(LOOK_EVERY_MS, () => void this.#look())
    this.#stopListening = keys.listen({
      epoch: (epoch) => this.#onEpoch(epoch),
      allReady: (epoch) => this.#dispatch({ type: 'allReady', epoch }),
      stopped: () => this.#dispatch({ type: 'stopped' }),
    })
  }

  /** The worker has not started, as where the page's policy forbids it: no media can be had. */
  get broken(): boolean {
    return this.#broken
  }

  /** Whether there are keys to seal with. */
  get keyed(): boolean {
    return this.#ring.sending !== undefined
  }

  /** What peer connections must be made with. */
  get connectionSettings(): Readonly<Record<string, unknown>> {
    return this.#options.engine.connectionSettings
  }

  /** To be called while a sender is made. `changed` tells when its state does. */
  sender(
    sender: RTCRtpSender,
    { source, codec }: { readonly source: TrackSource; readonly codec: FrameCodec },
    changed: () => void,
  ): GuardedStream {
    return this.#guard(
      sender,
      { direction: 'send', stream: this.#nextStream++, source, codec },
      changed,
    )
  }

  /** To be called while a receiver is made: later, Chromium ignores it. */
  receiver(
    receiver: RTCRtpReceiver,
    { participant, source }: { readonly participant: ParticipantId; readonly source: TrackSource },
    changed: () => void,
  ): GuardedStream {
    const stream = this.#nextStream++
    return this.#guard(receiver, { direction: 'receive', stream, participant, source }, changed)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopListening()
    this.#cancelTick()
    this.#cancelLook()
    for (const { baseKey } of this.#secrets.values()) baseKey.fill(0)
    this.#secrets.clear()
    this.#worker.close()
  }

  #guard(
    endpoint: RTCRtpSender | RTCRtpReceiver,
    spec: StreamSpec,
    changed: () => void,
  ): GuardedStream {
    const { clock } = this.#options
    const { stream } = spec
    const guarded = new GuardedStream({
      endpoint,
      spec,
      now: () => clock.now(),
      changed: () => {
        changed()
        this.#onStream(guarded)
      },
      closed: () => {
        this.#streams.delete(stream)
        this.#worker.post({ type: 'detach', stream })
      },
    })
    this.#streams.set(stream, guarded)
    this.#worker.attach(endpoint, spec)
    return guarded
  }

  #tellUnreadable(): void {
    const found = [...this.#streams.values()].flatMap(({ isUnreadable, spec }) =>
      isUnreadable && spec.direction === 'receive' ? [spec] : [],
    )
    const told = found.map(({ stream }) => stream).join()
    if (told === this.#toldUnreadable) return
    this.#toldUnreadable = told
    this.emit('unreadable', found)
  }

  #onStream({ state, spec }: GuardedStream): void {
    if (state === 'bypassed') {
      const message = `Frames of the ${spec.source} passed encryption by, and were stopped.`
      this.emit('failed', new CallError('encryption-lost', { message }))
    }
  }

  #onEpoch(epoch: FrameEpoch): void {
    this.#secrets.set(this.#ring.nextSlot, epoch)
    this.#dispatch({ type: 'began', epoch: epoch.epoch, cause: epoch.cause })
  }

  #onMessage(message: FromWorker): void {
    if (this.#closed) return
    this.#heard = true
    switch (message.type) {
      case 'installed':
        this.#dispatch({ type: 'installed', slot: message.slot })
        return
      case 'attached':
      case 'firstFrame':
        this.#streams.get(message.stream)?.dispatch({ type: message.type })
        return
      case 'counted':
        for (const count of message.counts) this.#streams.get(count.stream)?.judge(count)
        this.#tellUnreadable()
        this.#cancelLook = this.#options.clock.after(LOOK_EVERY_MS, () => void this.#look())
        return
      case 'renew':
        this.#options.keys.renew()
        return
      case 'keyFrameWanted':
        this.#streams.get(message.stream)?.requestKeyFrame()
    }
  }

  #dispatch(event: EpochRingEvent): void {
    if (this.#closed) return
    const { clock } = this.#options
    const { state, effects } = epochRing(this.#ring, event, clock.now())
    this.#ring = state
    this.#cancelTick()
    const deadline = epochRingDeadline(state)
    if (deadline !== undefined) {
      const wait = Math.max(0, deadline - clock.now())
      this.#cancelTick = clock.after(wait, () => this.#dispatch({ type: 'tick' }))
    }
    for (const effect of effects) this.#run(effect)
    this.emit('changed')
  }

  #run(effect: EpochRingEffect): void {
    switch (effect.type) {
      case 'install':
        void this.#install(effect.slot)
        return
      case 'sendWith':
      case 'forget':
        this.#worker.post(effect)
        return
      case 'tellInstalled':
        this.#options.keys.installed(effect.epoch)
    }
  }

  async #install(slot: number): Promise<void> {
    const epoch = this.#secrets.get(slot)
    if (!epoch) return
    const { ownLeaf, leaves } = epoch
    const incarnation = await this.#options.engine.takeIncarnation(epoch)
    this.#secrets.delete(slot)
    // A copy, so that what is handed over is no larger than the key.
    const baseKey = new Uint8Array(epoch.baseKey)
    epoch.baseKey.fill(0)
    // Forgotten meanwhile: the worker would hold it for good.
    if (this.#closed || !this.#ring.epochs.some((one) => one.slot === slot)) {
      baseKey.fill(0)
      return
    }
    const epochByte = epochByteOf(epoch.epoch)
    const secret = { slot, epochByte, baseKey, ownLeaf, leaves, incarnation }
    this.#worker.post({ type: 'install', secret }, [baseKey.buffer])
  }

  /** Reads the browser's counts first: each frame in them has passed the worker before. */
  async #look(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.readBrowserCount()))
    if (!this.#closed) this.#worker.post({ type: 'count' })
  }

  #fail(error: CallError): void {
    if (this.#closed) return
    this.#broken = !this.#heard
    this.emit('failed', this.#broken ? error : new CallError('encryption-lost', { cause: error }))
    this.emit('changed')
  }
}
