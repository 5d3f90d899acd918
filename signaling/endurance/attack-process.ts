/** Attacks a server from this process: `attack-process.ts URL WORK`; tells how many messages were sent. */
import { attack } from './attack.ts'

const [url = '', work = '{}'] = process.argv.slice(2)
const sent = await attack(url, JSON.parse(work) as { seed: number; messages: number })
process.send?.(sent, () => process.exit(0))
