import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { DeviceAddress, Millis, Result, SeatTicket } from '@parley/protocol'
import { fail, limits, ok, seatTicketSchema } from '@parley/protocol'

/** First part of a ticket, so that another form of it can be told apart. */
const VERSION = 'seat1'
const MAC_BYTES = 32

/** Makes and takes back tickets with one key. */
export interface TicketSeal {
  seal(ticket: SeatTicket): string
  /** Fails with `ticket-invalid`, `ticket-expired`, or `ticket-foreign` for another device's. */
  open(text: string, bearer: DeviceAddress, now: Millis): Result<SeatTicket>
}

/** A seal whose key follows from a secret of the server's (HKDF-SHA-256), for this use alone. */
export function ticketSeal(secret: string): TicketSeal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'parley seat ticket', MAC_BYTES))
  const macOf = (signed: string) => createHmac('sha256', key).update(signed).digest()
  return {
    seal(ticket) {
      const body = Buffer.from(JSON.stringify(ticket)).toString('base64url')
      const signed = `${VERSION}.${body}`
      return `${signed}.${macOf(signed).toString('base64url')}`
    },

    open(text, bearer, now) {
      const [version = '', body = '', mac = '', ...rest] = text.split('.')
      if (version !== VERSION || rest.length > 0) return fail('ticket-invalid', FIELD)
      const given = Buffer.from(mac, 'base64url')
      if (given.length !== MAC_BYTES) return fail('ticket-invalid', FIELD)
      if (!timingSafeEqual(given, macOf(`${version}.${body}`))) return fail('ticket-invalid', FIELD)
      const ticket = read(body)
      if (!ticket) return fail('ticket-invalid', FIELD)
      if (now >= ticket.issuedAt + limits.ticketLifetimeMs) return fail('ticket-expired', FIELD)
      const seat = ticket.call.seats.find(({ id }) => id === ticket.seat)
      const own = seat?.user === bearer.user && seat.device === bearer.device
      return own ? ok(ticket) : fail('ticket-foreign', FIELD)
    },
  }
}

/** Finds the call that a ticket is for; `undefined` where the ticket is not good. */
export function callsOfTickets(seal: TicketSeal, now: () => Millis) {
  return (ticket: string, bearer: DeviceAddress): SeatTicket['call'] | undefined => {
    const opened = seal.open(ticket, bearer, now())
    return opened.ok ? opened.data.call : undefined
  }
}

const FIELD = { field: 'data.ticket' } as const

/** Sealed by us, but perhaps by another version of us. */
function read(body: string): SeatTicket | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(body, 'base64url').toString())
    const parsed = seatTicketSchema.safeParse(json)
    if (!parsed.success) return undefined
    const { call, ...rest } = parsed.data
    // Absent in JSON where it is undefined here.
    return { ...rest, call: { ...call, room: call.room } }
  } catch {
    return undefined
  }
}
