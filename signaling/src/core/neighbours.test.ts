import type { DeviceAddress, SessionId } from '@parley/protocol'
import { expect, test } from 'vitest'
import type { NodeId } from './lease-book.ts'
import { freshDevice, Neighbours } from './neighbours.ts'

const at = { user: 'bob', device: 'phone' } as unknown as DeviceAddress
const node = 'b' as NodeId
const here = freshDevice('s1' as SessionId, 1)
const leaving = { ...here, connected: false, leaving: true }

test('[RELOAD-2] a page of another node that goes away is known as such, and has hung up in the end', () => {
  const neighbours = new Neighbours()
  expect(neighbours.note(node, at, here)).toBe('connected')
  expect(neighbours.note(node, at, leaving)).toBe('leaving')
  expect(neighbours.note(node, at, leaving)).toBe('same')
  expect(neighbours.note(node, at, undefined)).toBe('hungUp')
})

test('[RELOAD-2] one that comes back is lost, and has not hung up, where it is gone later', () => {
  const neighbours = new Neighbours()
  neighbours.note(node, at, here)
  neighbours.note(node, at, leaving)
  expect(neighbours.note(node, at, here)).toBe('connected')
  expect(neighbours.note(node, at, { ...here, connected: false })).toBe('away')
  expect(neighbours.note(node, at, undefined)).toBe('gone')
})
