/**
 * Checks of the list that are not made from outside and at once: where they are made instead, or why
 * they do not apply to a server that relays UDP.
 */
export const elsewhere: Readonly<Record<number, string>> = {
  30: 'no TCP relays (RFC 6062)',
  40: 'on virtual time: `turn/src/core/server.test.ts`',
  41: 'while draining: `turn/src/core/drain.test.ts`',
  42: '`turn/src/core/drain.test.ts`',
  48: 'on virtual time: `turn/src/core/server.test.ts`',
  54: 'on virtual time: `turn/src/core/relay.test.ts`',
  72: 'on virtual time: `turn/src/core/relay.test.ts`',
  73: 'on virtual time: `turn/src/core/relay.test.ts`',
  82: 'no OAuth (RFC 7635)',
  83: 'no TCP relays (RFC 6062)',
  85: '`turn/src/config.test.ts`',
  86: 'browsers: the scenarios of the project',
}
