import type {
  CallErrorCode,
  CallPath,
  CallState,
  EndReason,
  HandOver,
  LayerState,
  MissedReason,
  OwnPresence,
  PresenceStatus,
  QualityLevel,
  QualityReason,
  Reconnecting,
  TrackSource,
} from '../src/index.ts'

/** What happened and what to do, for each code that the SDK can report. */
const errorWords: Readonly<Record<CallErrorCode, string>> = {
  'bad-request': 'That is not a valid name. Use letters, digits and . _ - only.',
  'unknown-request': 'This page is older than the server. Reload it.',
  'too-large': 'That was too much for one message. Try something smaller.',
  'rate-limited': 'That was too fast. Wait a moment and try again.',
  unauthorized: 'The server did not accept your sign-in. Sign in again.',
  'token-expired': 'Your sign-in has expired. Reload the page to sign in again.',
  revoked: 'The app has signed you out. Sign in again.',
  'too-busy': 'The server has its hands full. You will be let in in a moment.',
  'slow-consumer': 'Your connection is too slow to keep up. You will be reconnected.',
  'not-permitted': 'You are not allowed to do that.',
  'protocol-version': 'This page is older than the server. Reload it.',
  'session-replaced': 'You are connected in another tab. Close that one, or use it instead.',
  'session-gone': 'The server lost track of this page while it was away. Start the call again.',
  'push-off': 'This server cannot wake your browser.',
  'call-self': 'You cannot call yourself. Pick somebody else.',
  'user-offline': 'Nobody there right now. They will see that you called.',
  'call-not-found': 'That call has already ended.',
  'call-exists': 'That call could not be started. Try again.',
  'not-in-call': 'You are no longer in that call.',
  'too-many-calls': 'You hold as many calls as you may. End one of them first.',
  'not-invited': 'You were not asked to join that call.',
  'not-answered': 'Nobody has answered yet. Wait until somebody is there.',
  'hand-over-pending': 'The call is being handed over already. Wait for the answer.',
  'answered-elsewhere': 'You answered on another device.',
  'not-ringing': 'The call no longer rings.',
  'not-moderator': 'Only a moderator of the call can do that.',
  'call-locked': 'The call is locked: nobody new can come in now.',
  'lobby-full': 'Too many people are waiting already. Try again in a moment.',
  'not-waiting': 'That person has stopped waiting.',
  silenced: 'A moderator has switched this off for you. Ask to be allowed again.',
  'call-full': 'The call is full. Ask somebody to leave, or try later.',
  'ticket-invalid': 'The server no longer knows this call. Start it again.',
  'ticket-expired': 'You were away too long to come back to that call. Start it again.',
  'ticket-foreign': 'That seat belongs to another device. Join the call anew.',
  'no-such-participant': 'That person has just left the call.',
  'no-media-node': 'The media server is not available. Group calls will work when it is back.',
  'media-order': 'Part of the media could not be set up. Leave and join again if it stays away.',
  'bad-media-parameters': 'Your browser and the media server did not understand each other.',
  'media-timeout': 'The media server is slow to answer. Try again in a moment.',
  'mls-stale-epoch': 'The keys of the call have just changed. It goes on by itself.',
  'mls-no-group': 'The keys of the call are being made anew. It goes on by itself.',
  'device-list-conflict': 'Another of your devices was faster. Try again.',
  'device-list-full': 'You have too many devices. Take one out first.',
  'store-unavailable': 'Part of the server is away. Running calls go on; try again in a moment.',
  'shutting-down': 'The server is restarting. You will be reconnected.',
  internal: 'The server made a mistake. Try again.',
  'media-denied':
    'Your browser blocks the camera or microphone. Allow them next to the address, then try again.',
  'no-microphone': 'No microphone was found. Plug one in and try again.',
  'no-camera': 'No camera was found. Plug one in, or go on with audio only.',
  'device-busy': 'Another program is using your camera or microphone. Close it and try again.',
  'push-denied': 'Your browser blocks notifications. Allow them next to the address.',
  'push-failed': 'Your browser cannot be woken now. Try again later.',
  'screen-denied': 'Nothing is shared: no screen or window was chosen.',
  'not-supported': 'This browser cannot do that here. Use a current browser over https.',
  'not-connected': 'There is no connection to the server. Check your network.',
  'token-failed': 'Signing in failed. Check that the server is running, then try again.',
  'encryption-required':
    'This call is private, and this page does not encrypt. Reload it, or ask for a newer one.',
  'call-not-encrypted':
    'The others in this call do not encrypt, so it was not joined. They need a newer version.',
  'encryption-unsupported': 'This browser cannot keep the call private, so it was not joined.',
  'encryption-lost': 'Something was about to be sent without encryption and was stopped.',
  'payload-unsealable': 'What you wanted to say with the call cannot be sealed for them yet.',
  'encryption-pending': 'Not sent: look at who is in the call first, or try again in a moment.',
  'device-not-approved': 'Approve this device on one of your other devices first.',
  'unknown-device': 'That device is not one of yours any more.',
  'last-device': 'This is your last approved device. Approve another one first.',
  'media-failed': 'No media gets through. Check your network or try another one.',
  'call-ended': 'The call is over.',
  'bad-answer': 'The server gave an answer that this page cannot read. Reload the page.',
  timeout: 'The server did not answer in time. Try again.',
  aborted: 'Cancelled.',
}

export function wordsForError(code: CallErrorCode): string {
  return errorWords[code]
}

/** Who gives a call to this device, and how. */
export function wordsForOffer(
  { user, how }: { readonly user: string; readonly how: HandOver },
  kind: string,
): string {
  return how === 'moved' ? 'Continue your call on this device' : `${kind}, put through by ${user}`
}

/** Why a call ended, about the person or room at the other end. */
export function wordsForEnd(reason: EndReason, other: string): string {
  const words: Readonly<Record<EndReason, string>> = {
    hangup: 'Call ended',
    declined: `${other} declined the call`,
    busy: `${other} is in another call`,
    'no-answer': `${other} did not answer`,
    cancelled: 'Call cancelled',
    'answered-elsewhere': 'Answered on another device',
    'declined-elsewhere': 'Declined on another device',
    transferred: `You put ${other} through`,
    moved: 'The call goes on on your other device',
    superseded: `${other} called again`,
    failed: 'The call was lost. Check your network and call again',
    removed: 'You were removed from the call',
    denied: 'You were not let in',
  }
  return words[reason]
}

export const pathWords: Readonly<Record<CallPath, { short: string; long: string }>> = {
  direct: { short: 'Direct', long: 'Straight between the two devices' },
  relay: { short: 'Relay', long: 'Through a relay server' },
  sfu: { short: 'SFU', long: 'Through the media server (SFU)' },
}

export const stateWords: Readonly<Record<CallState, string>> = {
  dialing: 'Calling…',
  ringing: 'Ringing…',
  waiting: 'Waiting to be let in…',
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  ended: 'Call ended',
}

/** What is being done to get media back. */
const rungWords: Readonly<Record<Reconnecting['rung'], string>> = {
  signaling: 'the server is away',
  others: 'waiting for the others',
  'ice-restart': 'looking for a way',
  'path-change': 'trying another way',
  rejoin: 'joining anew',
}

/** How the call stands, and what is done about it. */
export function wordsForState(state: CallState, rung: Reconnecting['rung'] | undefined): string {
  if (state !== 'reconnecting' || rung === undefined) return stateWords[state]
  return `Reconnecting: ${rungWords[rung]}…`
}

export const presenceWords: Readonly<Record<PresenceStatus, string>> = {
  online: 'Online',
  away: 'Away',
  'in-call': 'In a call',
  offline: 'Offline',
}

/** What one may tell of oneself. */
export const ownPresenceWords: Readonly<Record<OwnPresence, string>> = {
  online: 'Online',
  away: 'Away',
  invisible: 'Invisible',
}

/** Why nobody took a call. */
export const missedWords: Readonly<Record<MissedReason, string>> = {
  'no-answer': 'You did not answer',
  cancelled: 'Hung up before you answered',
  busy: 'You were in another call',
  unreachable: 'You were not here',
}

export const qualityWords: Readonly<Record<QualityLevel, string>> = {
  excellent: 'Excellent',
  good: 'Good',
  poor: 'Poor',
  lost: 'No media',
  unknown: 'Measuring',
}

export const reasonWords: Readonly<Record<QualityReason, string>> = {
  loss: 'Packets are lost on the way',
  rtt: 'Answers take long to come back',
  jitter: 'Packets come unevenly',
  bandwidth: 'The connection is too narrow for more',
  cpu: 'This device is busy',
  freeze: 'The picture stood still',
  concealment: 'Gaps in the sound were filled in',
  'no-media': 'Nothing arrives',
}

/** What was reduced and why; nothing where all there is is shown. */
export function wordsForLayer({ layer, reason }: LayerState): string | undefined {
  if (reason === 'full') return undefined
  const what = layer === null ? 'Picture paused' : 'Smaller picture'
  const why: Readonly<Record<Exclude<LayerState['reason'], 'full'>, string>> = {
    'tile-size': 'the tile is small',
    'not-watched': 'nobody watches it',
    bandwidth: 'the connection is narrow',
  }
  return `${what}: ${why[reason]}`
}

/** What a moderator has switched off, or asks to. */
export function wordsForSources(sources: readonly TrackSource[]): string {
  const words: Readonly<Record<TrackSource, string>> = {
    microphone: 'microphone',
    camera: 'camera',
    screen: 'screen',
    'screen-audio': 'sound of your screen',
  }
  return sources.map((source) => words[source]).join(' and ')
}

/** A list of names as people write it. */
export function wordsForNames(names: readonly string[]): string {
  if (names.length <= 2) return names.join(' and ')
  return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}

/** How long ago something was. Beyond a day the date says more. */
export function wordsForAge(at: number, now: number): string {
  const minutes = Math.floor((now - at) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`
  return `on ${new Date(at).toLocaleDateString()}`
}

/** Time in a call, as 4:05 or 1:04:05. */
export function wordsForDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const two = (n: number) => String(n).padStart(2, '0')
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

export function wordsForBitrate(bps: number): string {
  return bps >= 1_000_000
    ? `${(bps / 1_000_000).toFixed(1)} Mb/s`
    : `${Math.round(bps / 1_000)} kb/s`
}
