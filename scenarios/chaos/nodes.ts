import { freePort, ServiceProcess } from '../lab/service-process.ts'

/** A node, and a second one, in processes that may die. */
export interface Nodes {
  readonly sfu: ServiceProcess
  /** It has not been started. */
  readonly spare: ServiceProcess
  /** Settings of a signaling process that is to know them. */
  readonly known: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** Starts a node with these settings. `spare`: signaling is to know of the second one. */
export async function openNodes(
  env: Readonly<Record<string, string>>,
  { spare: withSpare }: { readonly spare: boolean },
): Promise<Nodes> {
  const secret = { PARLEY_SFU_SECRET: 'the secret of these nodes' }
  const node = async () => {
    const control = `127.0.0.1:${await freePort()}`
    const own = {
      PARLEY_SFU_CONTROL: control,
      PARLEY_SFU_PORT: String(await freePort()),
      PARLEY_SFU_WORKERS: '1',
    }
    const settings = { ...env, ...secret, ...own }
    const process = new ServiceProcess({
      service: 'sfu',
      env: settings,
      ready: /control link open/,
    })
    return { control, process }
  }
  const [first, second] = [await node(), await node()]
  await first.process.start()
  const reached = [first.control, ...(withSpare ? [second.control] : [])]
  return {
    sfu: first.process,
    spare: second.process,
    known: { ...secret, PARLEY_SFU_NODES: reached.join() },
    async close() {
      for (const { process } of [first, second]) await process.stop()
    },
  }
}
