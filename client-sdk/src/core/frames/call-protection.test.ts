import { expect, it } from 'vitest'
import { isEncrypted, nodeProtection, protectionOf } from './call-protection.ts'

it.each([
  ['no keys', [false, ['proven'], ['proven']], 'pending'],
  ['no stream', [true, [], []], 'pending'],
  ['only streams without a frame', [true, ['attached'], ['attached']], 'pending'],
  ['one that is proven, and one in silence', [true, ['attached'], ['proven']], 'sealed'],
  ['a sender that the worker does not hold yet', [true, ['waiting'], ['proven']], 'pending'],
  ['a receiver that the worker does not hold yet', [true, ['proven'], ['waiting']], 'sealed'],
  ['all proven', [true, ['proven'], ['proven']], 'sealed'],
  ['a sender that went past', [true, ['bypassed'], ['proven']], 'plain'],
  ['a receiver that went past', [true, ['proven'], ['bypassed']], 'plain'],
] as const)('a path with %s', (_what, [keyed, senders, receivers], protection) => {
  expect(nodeProtection({ keyed, senders, receivers })).toBe(protection)
})

it.each([
  [[], false],
  [[{ used: true, protection: 'pending' }], false],
  [[{ used: true, protection: 'plain' }], false],
  [[{ used: true, protection: 'sealed' }], true],
  [
    [
      { used: true, protection: 'sealed' },
      { used: false, protection: 'pending' },
    ],
    true,
  ],
  [
    [
      { used: true, protection: 'sealed' },
      { used: false, protection: 'plain' },
    ],
    false,
  ],
  [
    [
      { used: true, protection: 'pending' },
      { used: false, protection: 'sealed' },
    ],
    false,
  ],
] as const)('[FRAME-18] a call with the paths %j', (paths, encrypted) => {
  expect(isEncrypted(paths)).toBe(encrypted)
})

it.each([
  [{ wanted: false, encrypted: false, decisions: [] }, 'off'],
  [{ wanted: true, encrypted: false, decisions: [] }, 'pending'],
  [{ wanted: true, encrypted: false, decisions: ['accept', undefined] }, 'pending'],
  [{ wanted: true, encrypted: true, decisions: ['accept', 'accept'] }, 'encrypted'],
  [{ wanted: true, encrypted: true, decisions: ['accept', 'hold'] }, 'held'],
  [{ wanted: true, encrypted: false, decisions: ['refuse'] }, 'held'],
] as const)('a call of which is known %j is %s', (known, protection) => {
  expect(protectionOf(known)).toBe(protection)
})
