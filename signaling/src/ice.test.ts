import type { UserId } from '@parley/protocol'
import { Secret } from '@parley/service'
import { expect, test } from 'vitest'
import { iceConfig } from './ice.ts'

// Made here, so it has the shape that the brand stands for.
const user = 'alice' as UserId
const turnUrls = ['turn:192.0.2.1:3478?transport=tcp']

test('credentials name the user and end when the server is told', () => {
  const config = iceConfig({ user, stunUrls: [], turnUrls, secret: new Secret('s') }, 1_000)
  const expirySeconds = config.expiresAt / 1_000
  expect(config.iceServers).toMatchObject([{ urls: turnUrls, username: `${expirySeconds}:alice` }])
})

test('an entry without an address is left out, as Firefox refuses it', () => {
  const config = iceConfig({ user, stunUrls: [], turnUrls, secret: undefined }, 0)
  expect(config.iceServers).toEqual([])
})
