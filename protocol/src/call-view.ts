import { z } from 'zod'
import {
  callIdSchema,
  deviceIdSchema,
  participantIdSchema,
  producerIdSchema,
  roomNameSchema,
  userIdSchema,
} from './ids.ts'
import { mediaKindSchema, trackSourceSchema } from './media.ts'

/** Why a call ended, as the device that hears it should show it. */
export const endReasonSchema = z.enum([
  'hangup',
  'declined',
  'busy',
  'no-answer',
  'cancelled',
  'answered-elsewhere',
  'declined-elsewhere',
  'failed',
  'removed',
  'transferred',
  'moved',
  'superseded',
  'denied',
])
export type EndReason = z.infer<typeof endReasonSchema>

/** What became of an invitation. `waking`: no device is there yet, and one has been called for. */
export const inviteStateSchema = z.enum([
  'waking',
  'ringing',
  'declined',
  'busy',
  'no-answer',
  'unreachable',
])
export type InviteState = z.infer<typeof inviteStateSchema>

/** How somebody gives his place: to another user, or to another device of his own. */
export const handOverSchema = z.enum(['transferred', 'moved'])
export type HandOver = z.infer<typeof handOverSchema>

/** Someone who was asked to join. `offer`: the participant who gives him his place. */
export const inviteViewSchema = z.object({
  user: userIdSchema,
  state: inviteStateSchema,
  offer: z.object({ by: participantIdSchema, how: handOverSchema }).optional(),
})
export type InviteView = z.infer<typeof inviteViewSchema>

/** `p2p` between two devices, `sfu` through a node. */
export const mediaPathSchema = z.enum(['p2p', 'sfu'])
export type MediaPath = z.infer<typeof mediaPathSchema>

/** What a participant says he sends; what the others show as muted or not. */
export const sendingSchema = z.object({
  microphone: z.boolean(),
  camera: z.boolean(),
  screen: z.boolean(),
})
export type Sending = z.infer<typeof sendingSchema>

export const publicationSchema = z.object({
  producer: producerIdSchema,
  source: trackSourceSchema,
  kind: mediaKindSchema,
  paused: z.boolean(),
  /** The topology epoch whose node carries the stream. */
  epoch: z.int().min(1),
})
export type Publication = z.infer<typeof publicationSchema>

export const participantViewSchema = z.object({
  id: participantIdSchema,
  user: userIdSchema,
  device: deviceIdSchema,
  /** False while the participant's signaling connection is away; his media may well go on. */
  connected: z.boolean(),
  /** His page has said that it goes away; he may come back at once, as after a reload. */
  leaving: z.boolean().optional(),
  /** He holds the call: he sends nothing and receives nothing. */
  onHold: z.boolean(),
  /** The seat of the same user that this one takes the place of, once it has its media. */
  replaces: participantIdSchema.optional(),
  /** He may mute and remove people, lock the call and let people in. */
  moderator: z.boolean().optional(),
  /** What a moderator has switched off: receivers do not play it, and a node does not carry it. */
  silenced: z.array(trackSourceSchema).optional(),
  /** All off while he holds the call; what is silenced is off. */
  sending: sendingSchema,
  /** Since when the participant asks to speak, ms since the epoch; absent while he does not. */
  handRaisedAt: z.number().optional(),
  /** Streams on the SFU. */
  publications: z.array(publicationSchema),
})
export type ParticipantView = z.infer<typeof participantViewSchema>

export const topologyViewSchema = z.object({
  path: mediaPathSchema,
  /** Rises with each change of path or node; messages that name an older one are void. */
  epoch: z.int().min(0),
  /** The path being warmed up, until all are ready for it. */
  next: z.object({ path: mediaPathSchema, epoch: z.int().min(1) }).optional(),
})
export type TopologyView = z.infer<typeof topologyViewSchema>

/** A device that waits in the lobby. */
export const waitingViewSchema = z.object({
  user: userIdSchema,
  device: deviceIdSchema,
  /** Since when, ms since the epoch. */
  since: z.number(),
})
export type WaitingView = z.infer<typeof waitingViewSchema>

/** A call as each device in it sees it: complete, so that the newest one is all that counts. */
export const callViewSchema = z.object({
  id: callIdSchema,
  /** Set for rooms; absent for calls that ring. */
  room: roomNameSchema.optional(),
  startedBy: userIdSchema,
  answered: z.boolean(),
  /** Nobody new comes in. */
  locked: z.boolean().optional(),
  /** Newcomers wait until a moderator lets them in. */
  lobby: z.boolean().optional(),
  /** All devices in it encrypt end to end. */
  encrypted: z.boolean().optional(),
  /** Who waits to be let in; moderators only see it. */
  waiting: z.array(waitingViewSchema).optional(),
  participants: z.array(participantViewSchema),
  invites: z.array(inviteViewSchema),
  topology: topologyViewSchema,
})
export type CallView = z.infer<typeof callViewSchema>
