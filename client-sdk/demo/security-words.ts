import type {
  Assessment,
  ChangeReason,
  Protection,
  SecurityAlarm,
  TrustState,
} from '../src/index.ts'

/** `alone`: nobody is there to agree with on keys. */
export type LockState = Protection | 'alone'

/** What the lock says, and what it means. */
export const lockWords: Readonly<
  Record<LockState, { readonly short: string; readonly long: string }>
> = {
  encrypted: {
    short: 'End-to-end encrypted',
    long: 'Only the people in this call can see and hear it. No server can.',
  },
  pending: {
    short: 'Securing…',
    long: 'Keys are being agreed on. Nothing is sent or shown before that.',
  },
  alone: {
    short: 'Encryption on',
    long: 'Keys are agreed on as soon as somebody else is here. No server will have them.',
  },
  held: {
    short: 'Held back',
    long: 'Somebody in this call is not trusted. Nothing new is sent or shown until you decide.',
  },
  off: {
    short: 'Not end-to-end encrypted',
    long: 'Encrypted on every hop only: whoever runs the servers could listen.',
  },
}

const stateWords: Readonly<Record<TrustState, string>> = {
  verified: 'Verified by you',
  pinned: 'Known from earlier calls, not verified',
  new: 'First call, not verified',
  changed: 'Changed since you last talked',
}

/** How well somebody is known, in words. */
export function wordsForIdentity(identity: Assessment | undefined): string {
  if (!identity) return 'Has not shown who they are yet'
  if (identity.decision === 'refuse') return 'Refused by this app'
  if (identity.decision === 'hold' && identity.state !== 'changed') return 'Waiting for your word'
  return stateWords[identity.state]
}

const reasonWords: Readonly<Record<ChangeReason, string>> = {
  'other-key': 'uses a device or browser that you have not met before',
  'unapproved-device': 'uses a device that none of their other devices has approved',
  'revoked-device': 'uses a device that they have taken out of their list',
  'list-forged': 'has a list of devices that nobody has signed',
  'list-forked': 'has a list of devices that does not go on from the one you knew',
  'list-rolled-back': 'has a list of devices that is older than the one you knew',
}

/** Why somebody is held back, and what it may mean. */
export function wordsForChange(user: string, identity: Assessment): string {
  const what = identity.reason ? reasonWords[identity.reason] : 'has another identity'
  if (identity.decision === 'refuse') {
    return `This app does not let ${user} in${identity.reason ? `, who ${what}` : ''}.`
  }
  if (identity.state !== 'changed') return `This app asks you to look before you let ${user} in.`
  return (
    `${user} ${what}. That is so after a new phone or a cleared browser, ` +
    `and it is so when somebody pretends to be ${user}.`
  )
}

const alarmWords: Readonly<Record<SecurityAlarm['kind'], string>> = {
  'bad-offer': 'The server has sent a made-up member. It was not let in.',
  'bad-welcome': 'The server has sent an invitation that nobody in this call has made.',
  'bad-commit': 'The server has sent a change of keys that nobody in this call has made.',
  'bad-message': 'The server has sent a message that nobody in this call has sealed.',
  'withheld-commit': 'The server keeps changes of the keys from this device.',
  'group-reset': 'The server has thrown the keys of this call away, and nobody had asked for that.',
  'unknown-member': 'Somebody holds keys of this call who is not shown in it.',
  'silent-member':
    'Somebody in this call does not confirm the keys: the server may show them others.',
  'identity-changed': 'Somebody in this call is not who they were before.',
  'identity-refused': 'Somebody was kept out of this call.',
  'peer-unverified': 'The other side of the direct connection could not prove who it is.',
}

/** What went wrong, and what to do. */
export function wordsForAlarm({ kind }: SecurityAlarm, user: string | undefined): string {
  const advice = 'If this goes on, hang up and compare the call code.'
  return [alarmWords[kind], user !== undefined && `It is about ${user}.`, advice]
    .filter(Boolean)
    .join(' ')
}
