import type { CallDirection } from './call-state.ts'

/** A call that a page was in, as it finds it again after a reload. */
export interface KeptCall {
  readonly id: string
  readonly ticket: string
  readonly direction: CallDirection
  readonly from: string | undefined
  /** What was sent. */
  readonly audio: boolean
  readonly video: boolean
}

/** What a page finds again after a reload. */
export interface PageRecord {
  readonly user: string
  readonly device: string
  readonly session: string
  readonly key: string
  /** Up to where the app was told of missed calls. */
  readonly missedSeq: number
  readonly calls: readonly KeptCall[]
}

/** More calls than a device may hold are not ours. */
const MOST_CALLS = 16

const directions: readonly unknown[] = ['outgoing', 'incoming', 'room', 'joined']

/** Writes a record down. */
export function writePageRecord(record: PageRecord): string {
  return JSON.stringify(record)
}

/** Reads a record; `undefined` for anything else, as the storage is the page's and anybody's. */
export function readPageRecord(text: string | undefined): PageRecord | undefined {
  const record = parse(text)
  if (!isRecord(record)) return undefined
  const { user, device, session, key, missedSeq, calls } = record
  if (!isText(user)) return undefined
  if (!isText(device) || !isText(session) || !isText(key) || !Array.isArray(calls)) return undefined
  if (typeof missedSeq !== 'number' || !Number.isSafeInteger(missedSeq)) return undefined
  if (calls.length > MOST_CALLS || !calls.every(isKeptCall)) return undefined
  return { user, device, session, key, missedSeq, calls }
}

function isKeptCall(call: unknown): call is KeptCall {
  if (!isRecord(call)) return false
  const { id, ticket, direction, from, audio, video } = call
  return (
    isText(id) &&
    isText(ticket) &&
    directions.includes(direction) &&
    (from === undefined || isText(from)) &&
    typeof audio === 'boolean' &&
    typeof video === 'boolean'
  )
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
