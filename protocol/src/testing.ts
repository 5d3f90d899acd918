import fc from 'fast-check'
import type { CallEvent, DeviceAddress, Invitee } from './call-state.ts'
import type { CallId, DeviceId, Millis, ParticipantId, ProducerId, UserId } from './ids.ts'

/** Short names for branded ids, for tests. */
export const user = (name: string) => name as UserId
export const device = (name: string) => name as DeviceId
export const callId = (name: string) => name as CallId
export const participantId = (name: string) => name as ParticipantId
export const producerId = (name: string) => name as ProducerId

/** Three people with two devices each: enough for every race of a ringing call. */
export const addresses: readonly DeviceAddress[] = ['alice', 'bob', 'carol'].flatMap((name) =>
  ['phone', 'laptop'].map((kind) => ({ user: user(name), device: device(`${name}-${kind}`) })),
)

/** The participant id that a device gets in generated events. */
export const seatOf = ({ device: id }: DeviceAddress) => participantId(`seat-${id}`)

export const sendingAll = { microphone: true, camera: true, screen: false } as const

const anyAddress = fc.constantFrom(...addresses)
const anySeat = anyAddress.map(seatOf)

/** Any event of the call machine, sensible or not. `ringFor` ms after now is the ring deadline. */
export function arbitraryCallEvent(now: Millis, ringFor: Millis): fc.Arbitrary<CallEvent> {
  const invitee: fc.Arbitrary<Invitee> = fc.oneof(
    fc.constantFrom('alice', 'bob', 'carol').map((name) => ({
      user: user(name),
      outcome: 'ring' as const,
      devices: addresses.filter((a) => a.user === user(name)).map((a) => a.device),
    })),
    fc.constantFrom('alice', 'bob', 'carol').map((name) => ({
      user: user(name),
      outcome: 'busy' as const,
    })),
    fc.constantFrom('bob', 'carol').map((name) => ({
      user: user(name),
      outcome: 'wake' as const,
    })),
  )
  return fc.oneof(
    anyAddress.map((at) => ({
      type: 'joined' as const,
      participant: seatOf(at),
      at,
      sending: sendingAll,
    })),
    fc.tuple(anyAddress, fc.array(invitee, { minLength: 1, maxLength: 3 })).map(([by, users]) => ({
      type: 'invited' as const,
      by: by.user,
      media: { audio: true, video: true },
      payload: undefined,
      users: [...new Map(users.map((u) => [u.user, u])).values()],
      deadline: now + ringFor,
    })),
    anyAddress.map((at) => ({
      type: 'accepted' as const,
      participant: seatOf(at),
      at,
      sending: sendingAll,
    })),
    fc.tuple(anyAddress, anyAddress).map(([at, other]) => ({
      type: 'joined' as const,
      participant: seatOf(at),
      at,
      sending: sendingAll,
      replaces: seatOf(other),
    })),
    fc
      .tuple(anySeat, fc.constantFrom('transferred' as const, 'moved' as const), invitee)
      .map(([by, how, to]) => ({
        type: 'offered' as const,
        offer: { by, how },
        to,
        media: { audio: true, video: true },
        deadline: now + ringFor,
      })),
    anyAddress.map(({ user: name }) => ({ type: 'uninvited' as const, user: name })),
    fc.tuple(anySeat, fc.boolean()).map(([participant, onHold]) => ({
      type: 'holdChanged' as const,
      participant,
      onHold,
    })),
    anySeat.map((participant) => ({ type: 'settled' as const, participant })),
    fc.tuple(anySeat, fc.uniqueArray(anySeat, { maxLength: 2 })).map(([by, brought]) => ({
      type: 'handedOver' as const,
      by,
      brought,
    })),
    fc.tuple(anySeat, fc.uniqueArray(anyAddress, { maxLength: 2 })).map(([by, coming]) => ({
      type: 'tookOver' as const,
      by,
      from: callId('other-call'),
      seats: coming.map((at) => ({
        participant: seatOf(at),
        at,
        sending: sendingAll,
        connected: true,
        onHold: false,
      })),
    })),
    fc.constant({ type: 'closed' as const, reason: 'superseded' as const }),
    fc.tuple(anySeat, anySeat).map(([participant, as]) => ({
      type: 'reseated' as const,
      participant,
      as: participantId(`${as}-again`),
      sending: sendingAll,
    })),
    anyAddress.map((at) => ({ type: 'declined' as const, at })),
    fc
      .tuple(anySeat, fc.constantFrom('hangup' as const, 'failed' as const, 'removed' as const))
      .map(([participant, reason]) => ({ type: 'left' as const, participant, reason })),
    anyAddress.map((at) => ({ type: 'deviceGone' as const, at })),
    anyAddress.map((at) => ({ type: 'deviceCame' as const, at, deadline: now + ringFor })),
    anyAddress.map(({ user: name }) => ({ type: 'wakeFailed' as const, user: name })),
    fc.tuple(anySeat, fc.boolean()).map(([participant, connected]) => ({
      type: 'connectionChanged' as const,
      participant,
      connected,
    })),
    fc.tuple(anySeat, fc.integer({ min: 1, max: 4 })).map(([participant, epoch]) => ({
      type: 'published' as const,
      participant,
      publication: {
        producer: producerId(`camera-${participant}-${epoch}`),
        source: 'camera' as const,
        kind: 'video' as const,
        paused: false,
        epoch,
      },
    })),
    fc.tuple(anySeat, fc.integer({ min: 1, max: 6 })).map(([participant, epoch]) => ({
      type: 'ready' as const,
      participant,
      epoch,
    })),
    fc.constant({ type: 'escalated' as const }),
    fc.integer({ min: 1, max: 6 }).map((epoch) => ({ type: 'mediaLost' as const, epoch })),
    fc.constant({ type: 'tick' as const }),
  )
}
