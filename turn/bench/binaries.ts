import { fileURLToPath } from 'node:url'
import { buildNative } from '../native/build.mjs'

/** Builds the load generator, and gives back the add-on's path. */
export function buildGenerator(env: NodeJS.ProcessEnv): string {
  return mustBuild('generator', 'addon', env)
}

/** Builds the bare forwarder, and gives back the program's path. */
export function buildForwarder(env: NodeJS.ProcessEnv): string {
  return mustBuild('forwarder', 'program', env)
}

function mustBuild(name: string, kind: 'addon' | 'program', env: NodeJS.ProcessEnv): string {
  const folder = fileURLToPath(new URL(`${name}/`, import.meta.url))
  const result = buildNative({ folder, name, kind }, env)
  if (!result.ok) throw new Error(`the ${name} cannot be built: ${result.reason}`)
  return result.binary
}
