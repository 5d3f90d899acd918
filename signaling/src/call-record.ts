import {
  callIdSchema,
  deviceIdSchema,
  endReasonSchema,
  participantIdSchema,
  roomNameSchema,
  userIdSchema,
} from '@parley/protocol'
import { z } from 'zod'
import type { CallFact } from './core/call-facts.ts'

const moment = z.number().describe('Milliseconds since the Unix epoch')

/** What is known of a call, running or over: who and when, and nothing of what was said. */
export const callRecordSchema = z.object({
  call: callIdSchema,
  room: roomNameSchema.optional(),
  startedBy: userIdSchema,
  startedAt: moment,
  answeredAt: moment.optional(),
  endedAt: moment.optional(),
  reason: endReasonSchema.optional(),
  participants: z.array(
    z.object({
      participant: participantIdSchema,
      user: userIdSchema,
      device: deviceIdSchema,
      joinedAt: moment,
      leftAt: moment.optional(),
      reason: endReasonSchema.optional(),
    }),
  ),
  /** Who was rung, and who of them has missed the call. */
  invited: z.array(z.object({ user: userIdSchema, missed: z.boolean() })),
})
export type CallRecord = z.infer<typeof callRecordSchema>

/** Seats noted in one record; a call in which people come and go forever must not grow forever. */
const MOST_SEATS = 500

/** Takes in what happened. A call that is known only from now on, as after a crash, begins now. */
export function noteFact(known: CallRecord | undefined, fact: CallFact): CallRecord {
  const { call, at } = fact
  const record = known ?? {
    call: call.id,
    ...(call.room !== undefined && { room: call.room }),
    startedBy: call.startedBy,
    startedAt: at,
    participants: [],
    invited: [],
  }
  switch (fact.type) {
    case 'answered':
      return { ...record, answeredAt: at }
    case 'joined': {
      const { id: participant, user, device } = fact.participant
      const seat = { participant, user, device, joinedAt: at }
      return { ...record, participants: [...record.participants, seat].slice(-MOST_SEATS) }
    }
    case 'left': {
      const participants = record.participants.map((seat) =>
        seat.participant === fact.participant.id
          ? { ...seat, leftAt: at, reason: fact.reason }
          : seat,
      )
      return { ...record, participants }
    }
    case 'rung':
      return withInvited(record, fact.user, false)
    case 'missed':
      return withInvited(record, fact.user, true)
    case 'ended':
      return { ...record, endedAt: at, reason: fact.reason }
    default:
      return record
  }
}

function withInvited(
  record: CallRecord,
  user: CallRecord['startedBy'],
  missed: boolean,
): CallRecord {
  const others = record.invited.filter((one) => one.user !== user)
  return { ...record, invited: [...others, { user, missed }].slice(-MOST_SEATS) }
}
