// Loaded into the stack's process before it starts (`node --import`): a node that goes on sending to
// whom it should no longer send to, as whoever runs it could have it do.

import { observer } from 'mediasoup'
import type { types } from 'mediasoup'

observer.on('newworker', (worker: types.Worker) => {
  worker.observer.on('newrouter', (router) => {
    router.observer.on('newtransport', (transport) => {
      transport.close = () => undefined
    })
  })
})
