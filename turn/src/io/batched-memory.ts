/**
 * The memory that C++ and JavaScript share, as `native/shared-memory.h` lays it out too: a head of
 * 32-bit words, a table of datagrams received, a table of datagrams to send, then the bytes of both.
 */
const SLOTS = 64
export const MAX_SENDS = 256
const MAX_DATAGRAM = 65_536
/** Bytes before each datagram received that may be overwritten. */
export const HEADROOM_BYTES = 64
const SLOT_BYTES = HEADROOM_BYTES + MAX_DATAGRAM
const SPILL_BYTES = 4 * MAX_DATAGRAM

/** Words of the head. */
export const PENDING_SENDS = 0
export const OPENED_PORT = 1
const HEAD_WORDS = 16

/** Words of a row of either table. */
export const ENTRY_WORDS = 9
export const SOCKET = 0
export const OFFSET = 1
export const LENGTH = 2
export const PORT = 3
export const ADDRESS = 4
export const SCOPE = 8

/** First words of the tables. */
export const RECEIVED_AT = HEAD_WORDS
export const SENDS_AT = RECEIVED_AT + SLOTS * ENTRY_WORDS
const SLOTS_AT = Math.ceil(((SENDS_AT + MAX_SENDS * ENTRY_WORDS) * 4) / 64) * 64
/** Bytes that were not received here, on their way out. */
export const SPILL_AT = SLOTS_AT + SLOTS * SLOT_BYTES
export const MEMORY_BYTES = SPILL_AT + SPILL_BYTES
