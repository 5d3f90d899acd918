import type { CallId, ClientRequestData, RoomName, ServerEvent, UserId } from '@parley/protocol'

/** What a request is about, and so which node has to answer it. */
export type Subject =
  /** The session itself: answered where that is. */
  | { readonly kind: 'session' }
  /** A new call; of two people alone, whoever holds a call of theirs decides what becomes of it. */
  | { readonly kind: 'start'; readonly call: CallId; readonly callee: UserId | undefined }
  | { readonly kind: 'room'; readonly room: RoomName }
  | { readonly kind: 'ticket'; readonly ticket: string }
  | { readonly kind: 'call'; readonly call: CallId }

/** `data` has passed the schema of its type. */
export function subjectOf(type: string, data: unknown): Subject {
  switch (type) {
    case 'call.start': {
      const { call, users } = data as ClientRequestData<'call.start'>
      const [callee, ...more] = users
      return { kind: 'start', call, callee: more.length === 0 ? callee : undefined }
    }
    case 'room.join':
      return { kind: 'room', room: (data as ClientRequestData<'room.join'>).room }
    case 'call.resume':
      return { kind: 'ticket', ticket: (data as { readonly ticket: string }).ticket }
    default: {
      const { call } = data as { readonly call?: CallId }
      return call === undefined ? { kind: 'session' } : { kind: 'call', call }
    }
  }
}

/** The key of what is between two people, the same from both sides. */
export function pairKey(one: UserId, other: UserId): string {
  return `pair:${JSON.stringify([one, other].toSorted())}`
}

export function callKey(call: CallId): string {
  return `call:${call}`
}

export function roomKey(room: RoomName): string {
  return `room:${room}`
}

/** The call that an event is about. */
export function callOf({ data }: ServerEvent): CallId | undefined {
  if (!('call' in data)) return undefined
  return typeof data.call === 'string' ? data.call : data.call.id
}
