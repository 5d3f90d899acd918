import { execFileSync } from 'node:child_process'

/** Files that a process has open besides its connections. */
const SPARE = 200

/** Says what to do where a process may not open as many sockets as are wanted; else nothing. */
export function openFilesObstacle(connections: number): string | undefined {
  const told = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  if (told === 'unlimited' || Number(told) >= connections + SPARE) return undefined
  return `A process may open ${told} files here, and ${connections + SPARE} are needed: run "ulimit -n ${connections + SPARE}" first, or ask for fewer with --clients.`
}
