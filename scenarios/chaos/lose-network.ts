import { setTimeout as wait } from 'node:timers/promises'
import { watches } from '../lab/caller.ts'
import { encryptedFromNow } from '../lab/encryption.ts'
import { makeUplinks } from '../lab/namespace.ts'
import { disturb } from './report.ts'
import type { Outcome } from './report.ts'
import { openStage } from './stage.ts'

/** What happens to the network of one of two people who talk. */
export type NetworkLoss = 'silence' | 'other-address'

/**
 * Takes the network from somebody in a call: for a while, or for good while another one is there.
 * Answers what both saw; rejects where the call ended, or was not encrypted for a moment.
 */
export async function loseNetwork(
  loss: NetworkLoss,
  silenceMs: number,
): Promise<readonly Outcome[]> {
  const uplinks = makeUplinks()
  try {
    const stage = await openStage(uplinks.address)
    try {
      const alice = await stage.arrive('alice')
      const bob = await stage.arrive('bob', {}, { namespace: uplinks.namespace })
      await alice.do('call', 'bob')
      await bob.isRung()
      await bob.do('accept')
      await watches(alice, [bob])
      await watches(bob, [alice])
      const wereEncrypted = await encryptedFromNow([alice, bob])
      const outcomes = await disturb([alice, bob], async () => {
        if (loss === 'other-address') {
          uplinks.changeUplink()
          return
        }
        uplinks.block()
        await wait(silenceMs)
        uplinks.unblock()
      })
      await wereEncrypted()
      await bob.do('hangup')
      await alice.sees(
        'the end',
        ({ state, endReason }) => state === 'ended' && endReason === 'hangup',
      )
      return outcomes
    } finally {
      await stage.close()
    }
  } finally {
    uplinks.remove()
  }
}
