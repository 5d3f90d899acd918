import { expect, test } from 'vitest'

import { knownNpmFailure, npmReason } from './npm.mjs'

const REFUSED = `npm error code ECONNREFUSED
npm error syscall connect
npm error errno ECONNREFUSED
npm error FetchError: request to http://127.0.0.1:9/zod failed, reason: connect ECONNREFUSED 127.0.0.1:9
npm error A complete log of this run can be found in: /home/x/.npm/_logs/1.log
`

test('an unreachable registry is named, with npm’s own reason', () => {
  expect(knownNpmFailure(REFUSED, '127.0.0.1:9')?.says).toBe(
    'the npm registry 127.0.0.1:9 cannot be reached',
  )
  expect(npmReason(REFUSED)).toBe(
    'FetchError: request to http://127.0.0.1:9/zod failed, reason: connect ECONNREFUSED 127.0.0.1:9',
  )
})

test('a lockfile that does not fit says what to run', () => {
  const failure = knownNpmFailure('npm ERR! code EUSAGE\nnpm ERR! \n', 'registry')
  expect(failure?.advice.join()).toContain('npm install')
})

test('an unknown failure still shows a line', () => {
  expect(knownNpmFailure('something broke', 'registry')).toBeUndefined()
  expect(npmReason('first\nsomething broke\n')).toBe('something broke')
})
