/** Attacks a server from this process: `attack-process.ts URL`; for each order tells how many messages were sent. */
import { attack } from './attack.ts'

const [url = ''] = process.argv.slice(2)
process.on('message', (order) => {
  void attack(url, order as { seed: number; messages: number }).then((sent) => process.send?.(sent))
})
process.on('disconnect', () => process.exit())
