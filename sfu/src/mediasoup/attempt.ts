import type { ErrorCode, Result } from '@parley/protocol'
import { fail, ok } from '@parley/protocol'
import { errors } from 'mediasoup'

/**
 * How long a worker may take to answer; mediasoup itself waits for ever. Longer forgives a busy
 * machine; shorter shows a hung worker sooner.
 */
const ANSWER_WITHIN_MS = 5_000

const LATE = Symbol('late')

/** Asks a worker for something, within a deadline, and turns every failure into a typed one. */
export async function attempt<T>(
  request: () => Promise<T>,
  {
    refusal = 'internal',
    undo,
    withinMs = ANSWER_WITHIN_MS,
  }: {
    /** What it means that the worker refuses. */
    readonly refusal?: ErrorCode
    /** Takes back what came after the deadline. */
    readonly undo?: (late: T) => void
    readonly withinMs?: number
  } = {},
): Promise<Result<T>> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(resolve, withinMs, LATE)
  })
  try {
    const asked = request()
    const outcome = await Promise.race([asked, deadline])
    if (outcome !== LATE) return ok(outcome)
    asked.then(undo, () => undefined)
    return fail('media-timeout')
  } catch (error) {
    return failure(error, refusal)
  } finally {
    clearTimeout(timer)
  }
}

function failure(error: unknown, refusal: ErrorCode) {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof errors.WorkerClosedError) {
    return fail('no-media-node', { message: 'The worker is gone.' })
  }
  if (error instanceof errors.NotFoundError) return fail('media-order', { message })
  return fail(refusal, { message })
}
