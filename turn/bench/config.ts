/** The environment of the benchmark, in which it looks for compilers and other servers. */
export function benchEnvironment(): NodeJS.ProcessEnv {
  return process.env
}
