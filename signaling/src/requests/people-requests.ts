import { fail, ok } from '@parley/protocol'
import type { Handlers } from './context.ts'

/** Requests about people besides their calls: presence, wake-ups, missed calls. */
export const peopleRequests: Handlers<
  | 'presence.subscribe'
  | 'presence.unsubscribe'
  | 'presence.set'
  | 'push.key'
  | 'push.subscribe'
  | 'push.unsubscribe'
  | 'mailbox.ack'
> = {
  'presence.subscribe': ({ people, session, grants }, { users }) =>
    ok(people.presence.subscribe(session, users, grants)),

  'presence.unsubscribe': ({ people, session }) => {
    people.presence.unsubscribe(session)
    return ok({})
  },

  'presence.set': ({ people, directory, session, at }, { status }) => {
    directory.setMood(session, status)
    people.presence.refresh(at.user)
    return ok({})
  },

  'push.key': ({ people }) => ok({ key: people.webPush?.publicKey ?? null }),

  'push.subscribe': async ({ people, at }, subscription) => {
    if (!people.webPush) return fail('push-off')
    if (!people.webPush.accepts(subscription.endpoint)) {
      return fail('bad-request', {
        message: 'The endpoint must be an https URL without a user name.',
        field: 'data.endpoint',
      })
    }
    const done = await people.subscriptions.put(at, subscription)
    return done.ok ? ok({}) : done
  },

  'push.unsubscribe': async ({ people, at }) => {
    const done = await people.subscriptions.remove(at)
    return done.ok ? ok({}) : done
  },

  'mailbox.ack': async ({ people, at }, { seq }) => {
    const done = await people.missed.acknowledge(at, seq)
    return done.ok ? ok({}) : done
  },
}
