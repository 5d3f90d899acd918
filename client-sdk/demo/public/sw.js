// Shows calls while no page of the demo is open, as docs/push.md has it.
self.addEventListener('push', (event) => {
  const { type, call, from } = event.data.json()
  const title = type === 'call' ? `${from} is calling` : `Missed call from ${from}`
  event.waitUntil(self.registration.showNotification(title, { tag: call }))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(self.clients.openWindow('/'))
})
