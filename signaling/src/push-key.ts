import { newPushKey, VapidKey } from './wake/vapid.ts'

/** `npm run push-key`: makes the key that push services know a server by. */
const key = newPushKey()
process.stdout.write(`PARLEY_PUSH_PRIVATE_KEY=${key}

Keep it secret, give it to every signaling process, and keep it for good: browsers that have
subscribed are bound to it. Set PARLEY_PUSH_SUBJECT as well, to your address as mailto:… or https:…
Public key, which clients are told by the server: ${new VapidKey(key, 'mailto:nobody').publicKey}
`)
