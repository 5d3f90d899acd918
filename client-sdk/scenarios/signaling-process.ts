/// <reference types="node" />
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ENTRY = fileURLToPath(new URL('../../signaling/src/main.ts', import.meta.url))

/** The real signaling service in a process of its own, on a free port. */
export async function startSignalingProcess(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [ENTRY], {
    env: {
      ...process.env,
      ...{ PARLEY_HOST: '127.0.0.1', PARLEY_PORT: '0', PARLEY_DEV: '1' },
      ...{ PARLEY_SECRET: 'a secret that only these tests know', ...env },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const line = output.split('\n').find((text) => text.includes('"signaling listens"'))
      if (line !== undefined) resolve((JSON.parse(line) as { port: number }).port)
    })
    child.once('exit', () => reject(new Error(`signaling did not start:\n${output}`)))
  })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    /** A token from the development door. */
    async token(user: string): Promise<string> {
      const response = await fetch(`${url}/dev/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user }),
      })
      return ((await response.json()) as { token: string }).token
    },
    async stop(): Promise<void> {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
