import { allocationChecks } from './checks/allocation.ts'
import { authenticationChecks } from './checks/authentication.ts'
import { relayChecks } from './checks/relay.ts'
import { stunChecks } from './checks/stun.ts'
import type { Transport } from './carrier.ts'
import type { Check, Subject } from './trial.ts'
import { NotApplicable, Trial } from './trial.ts'

/** Every check that can be made from outside and at once, by its number in the list. */
export const checks: readonly Check[] = [
  ...stunChecks,
  ...authenticationChecks,
  ...allocationChecks,
  ...relayChecks,
].toSorted((a, b) => a.number - b.number)

export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'notApplicable'; readonly why: string }

/** Whether a check is made over a transport. */
export function isFor(check: Check, transport: Transport): boolean {
  return check.transports?.includes(transport) ?? true
}

/** Makes one check. */
export async function judge(
  check: Check,
  subject: Subject,
  transport: Transport,
): Promise<Verdict> {
  const trial = new Trial(subject, transport)
  try {
    await check.run(trial)
    return { kind: 'passed' }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { kind: error instanceof NotApplicable ? 'notApplicable' : 'failed', why }
  } finally {
    trial.close()
  }
}
