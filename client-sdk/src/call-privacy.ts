import type { CallView, ParticipantId, ServerEvent } from '@parley/protocol'
import type { CallContext } from './call-context.ts'
import { protectionOf } from './core/frames/call-protection.ts'
import type { Protection } from './core/frames/call-protection.ts'
import type { CallEncryption, SecurityAlarm } from './e2ee/call-encryption.ts'
import type { Said } from './e2ee/sealed-talk.ts'
import { Emitter } from './emitter.ts'
import { CallError } from './errors.ts'
import type { MediaPaths } from './paths.ts'
import type { Roster } from './roster.ts'

interface CallPrivacyEvents {
  /** What somebody has said, sealed. */
  said: [said: Said]
  security: [alarm: SecurityAlarm]
  /** The code, or somebody's identity, changed. */
  verification: []
  /** `call.encrypted` changed. */
  encryption: [encrypted: boolean]
}

/** The end-to-end encryption of one call: its keys, and what is told of them. */
export class CallPrivacy extends Emitter<CallPrivacyEvents> {
  readonly #context: CallContext
  readonly #roster: Roster
  #keys: CallEncryption | undefined
  #encrypted = false

  constructor(context: CallContext, roster: Roster) {
    super()
    this.#context = context
    this.#roster = roster
  }

  /** Whether this device encrypts end to end. */
  get wanted(): boolean {
    return this.#context.encrypts
  }

  /** Keys of the call, and who its people are; none before it is joined, or without encryption. */
  get keys(): CallEncryption | undefined {
    return this.#keys
  }

  /** Where the call stands; `encrypted` as its paths say. */
  protection(encrypted: boolean): Protection {
    const others = [...this.#roster.participants.values()]
    const decisions = others.map(({ identity }) => identity?.decision)
    return protectionOf({ wanted: this.wanted, encrypted, decisions })
  }

  /** Rejects where this device should encrypt and cannot. */
  assertPossible(): Promise<void> {
    return this.#context.assertEncrypts()
  }

  /** Where the others do as this device does not neither would hear the other: why it is not joined. */
  unlike({ encrypted = false }: CallView): CallError | undefined {
    if (encrypted === this.#context.encrypts) return undefined
    return new CallError(encrypted ? 'encryption-required' : 'call-not-encrypted')
  }

  /** Agrees on keys for this seat; those of one before are given up. */
  begin(view: CallView, self: ParticipantId): CallEncryption | undefined {
    this.#keys?.close()
    const keys = this.#context.encryptionOf({ call: view.id, self })
    this.#keys = keys
    keys?.on('said', (said) => this.emit('said', said))
    keys?.on('alarm', (alarm) => this.emit('security', alarm))
    keys?.on('changed', () => {
      this.#roster.identify((id) => keys.assessmentOf(id))
      this.emit('verification')
    })
    keys?.update(view)
    return keys
  }

  /** Whether something that was said is taken as it is: who encrypts seals all, and wants it so. */
  allowsClear(participant: ParticipantId): boolean {
    if (!this.wanted) return true
    const detail = 'something was said that is not sealed'
    this.emit('security', { kind: 'bad-message', participant, detail })
    return false
  }

  update(view: CallView): void {
    this.#keys?.update(view)
  }

  /** Messages may have been lost. */
  resync(): void {
    this.#keys?.resync()
  }

  handle(event: ServerEvent): void {
    this.#keys?.handle(event)
  }

  /** Looks at paths that have changed. */
  look({ encrypted }: MediaPaths): void {
    if (encrypted === this.#encrypted) return
    this.#encrypted = encrypted
    this.emit('encryption', encrypted)
  }

  close(): void {
    this.#keys?.close()
  }
}
