/** A client in a process of its own, to be stopped: `silent-client.ts URL USER TOKEN`; tells when it is in. */
import { dial } from './stage.ts'

const [url = '', user = '', token = ''] = process.argv.slice(2)
dial(url, { protocol: 1, token, device: `${user}-device` }).once('event', () =>
  process.send?.('in'),
)
