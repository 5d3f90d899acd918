import { test } from 'vitest'
import { listenTo, sendTone } from './audio.ts'
import type { Listener } from './audio.ts'
import { raiseStage, RoomDoor } from './stage.ts'

test('[NODE-10] nothing flows to or from somebody who holds the call, until he takes it up again', async () => {
  const { node } = await raiseStage()
  const room = new RoomDoor(node)
  await room.must('room.open', {})
  const alice = await sendTone(room, 'alice', 440)
  const bob = await listenTo(room, 'bob', alice.producer)
  const dave = await sendTone(room, 'dave', 660)
  // What carol hears is the clock: it goes on whoever holds the call.
  const carol = await listenTo(room, 'carol', dave.producer)
  await bob.hear(10)

  await room.must('peer.hold', { peer: bob.peer, on: true })
  await hearsNothing(bob, carol)
  await room.must('peer.hold', { peer: bob.peer, on: false })
  await bob.hear(10)

  const { peer, producer } = alice
  await room.must('peer.hold', { peer, on: true })
  await room.must('producer.pause', { peer, producer, paused: false })
  await hearsNothing(bob, carol)
  await room.must('peer.hold', { peer, on: false })
  await bob.hear(10)
})

/** Resolves once one gets nothing while another one hears half a second. */
async function hearsNothing(one: Listener, other: Listener): Promise<void> {
  for (;;) {
    const before = one.packets
    await other.hear(25)
    if (one.packets === before) return
  }
}
