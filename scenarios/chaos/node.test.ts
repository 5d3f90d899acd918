import { expect, test } from 'vitest'
import { loseNode } from './lose-node.ts'
import { inWords } from './report.ts'

test('[NODE-11] the node of a call is killed: its people meet at another, encrypted', async () => {
  const outcomes = await loseNode('one')
  process.stdout.write(`${inWords('another node', outcomes)}\n`)
  expect(outcomes).toHaveLength(2)
})

test('[NODE-11] so do people who are connected to two signaling processes', async () => {
  const outcomes = await loseNode('two')
  process.stdout.write(`${inWords('another node, from two processes', outcomes)}\n`)
  expect(outcomes).toHaveLength(2)
})
