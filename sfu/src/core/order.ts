import type { NodeRequestData, NodeRequestType, Result } from '@parley/protocol'
import { fail, limits, nodeRequests, ok } from '@parley/protocol'

/** A checked order to the node. */
export type Order = {
  [T in NodeRequestType]: { readonly type: T; readonly data: NodeRequestData<T> }
}[NodeRequestType]

/** An order as it comes over the control link: who asks again uses the same id. */
export interface OrderFrame {
  readonly id: string
  readonly type: string
  readonly data: unknown
}

/** Checks the frame around an order. Fails with `bad-request`. */
export function parseFrame(frame: unknown): Result<OrderFrame> {
  if (typeof frame !== 'object' || frame === null) {
    return fail('bad-request', { message: 'An order is an object of id, type and data.' })
  }
  const { id, type, data } = frame as Readonly<Record<string, unknown>>
  if (!isName(id)) return badName('id')
  if (!isName(type)) return badName('type')
  return ok({ id, type, data })
}

/** Checks an order's data. Fails with `unknown-request` or `bad-request`, which names the field. */
export function parseOrder(type: string, data: unknown): Result<Order> {
  if (!isRequestType(type)) {
    return fail('unknown-request', { message: 'The node knows no such order.', field: 'type' })
  }
  const parsed = nodeRequests[type].data.safeParse(data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const field = ['data', ...(issue?.path ?? [])].join('.')
    return fail('bad-request', { message: `${field}: ${issue?.message ?? 'bad'}`, field })
  }
  // The data was parsed by the schema of this very type, a link that the compiler loses here.
  return ok({ type, data: parsed.data } as Order)
}

function isRequestType(type: string): type is NodeRequestType {
  return Object.hasOwn(nodeRequests, type)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= limits.idLength
}

function badName(field: string): Result<never> {
  return fail('bad-request', {
    message: `${field} must be text of 1 to ${limits.idLength} characters.`,
    field,
    limit: limits.idLength,
  })
}
