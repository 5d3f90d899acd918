import { fail } from '@parley/protocol'
import type { WireError } from '@parley/protocol'
import type { ZodError } from 'zod'

/** Turns a schema's first complaint into a `bad-request` that names the field and its limit. */
export function badField(
  error: ZodError,
  prefix = '',
): { readonly ok: false; readonly error: WireError } {
  const issue = error.issues[0]
  const path = [prefix, ...(issue?.path ?? [])].filter((part) => part !== '').join('.')
  const limit = issue && 'maximum' in issue ? Number(issue.maximum) : undefined
  return fail('bad-request', {
    message: issue?.message ?? 'The message has the wrong shape.',
    ...(path !== '' && { field: path }),
    ...(limit !== undefined && { limit }),
  })
}
