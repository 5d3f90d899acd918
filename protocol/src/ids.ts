import { z } from 'zod'
import { limits } from './limits.ts'

/** Letters and digits of any script, marks, and punctuation that is common in account names. */
const USER_PATTERN = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._@+:='-]*[\p{L}\p{M}\p{N}._@+:='-])?$/u
const ROOM_PATTERN = /^[\p{L}\p{N}._-]+$/u
const TOKEN_PATTERN = /^[A-Za-z0-9_-]+$/

const opaqueId = z.string().min(1).max(limits.idLength).regex(TOKEN_PATTERN)

/** Who a person is, as the token's `sub` says. */
export const userIdSchema = z
  .string()
  .min(1)
  .max(limits.userIdLength)
  .regex(USER_PATTERN, "letters, digits, spaces and . _ @ + : = ' - only")
  .brand('UserId')
export type UserId = z.infer<typeof userIdSchema>

/** One browser or app installation of a user; stable over reconnects. */
export const deviceIdSchema = opaqueId.brand('DeviceId')
export type DeviceId = z.infer<typeof deviceIdSchema>

/** One device's stay at the signaling service; survives a lost socket. */
export const sessionIdSchema = opaqueId.brand('SessionId')
export type SessionId = z.infer<typeof sessionIdSchema>

/** Chosen by the caller, so that a repeated `call.start` starts nothing twice. */
export const callIdSchema = opaqueId.brand('CallId')
export type CallId = z.infer<typeof callIdSchema>

/** A device's seat in one call. */
export const participantIdSchema = opaqueId.brand('ParticipantId')
export type ParticipantId = z.infer<typeof participantIdSchema>

/** The name people type to meet. */
export const roomNameSchema = z
  .string()
  .min(1)
  .max(limits.roomNameLength)
  .regex(ROOM_PATTERN, 'letters, digits and . _ - only')
  .brand('RoomName')
export type RoomName = z.infer<typeof roomNameSchema>

export const producerIdSchema = opaqueId.brand('ProducerId')
export type ProducerId = z.infer<typeof producerIdSchema>

export const consumerIdSchema = opaqueId.brand('ConsumerId')
export type ConsumerId = z.infer<typeof consumerIdSchema>

export const transportIdSchema = opaqueId.brand('TransportId')
export type TransportId = z.infer<typeof transportIdSchema>

/** Milliseconds since the Unix epoch, or a span of them. */
export type Millis = number
