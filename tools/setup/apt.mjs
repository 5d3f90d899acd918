import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { keepLog } from './cache.mjs'
import { run, which } from './command.mjs'
import { SetupFailure } from './failure.mjs'

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./requirements.mjs').Requirement} Requirement
 */

/** Packages whose service the installation would start, and would start again at boot. */
const SERVICES = ['coturn', 'redis-server']

/** Asked by package scripts before they start a service; 101 means no. */
const POLICY_FILE = '/usr/sbin/policy-rc.d'
const POLICY =
  '#!/bin/sh\n# Written by the Parley set-up for one apt run; safe to delete.\nexit 101\n'

/**
 * Installs what is missing, in one go; where that is impossible, says exactly what to install.
 * @param {Context} context
 * @param {readonly Requirement[]} requirements Those that are not met.
 */
export async function installDebianPackages(context, requirements) {
  if (requirements.length === 0) return
  const packages = [...new Set(requirements.map(({ debian }) => debian))].sort()
  const hasApt = which('apt-get') !== undefined
  if (!hasApt || !context.isRoot) {
    throw cannotInstall(requirements, packages, { hasApt, hasSystemd: hasSystemd() })
  }

  const step = context.terminal.begin(`Installing Debian packages: ${packages.join(', ')}`)
  try {
    await withoutServices(packages, async () => {
      const result = await installWithRepairs(packages, (percent) => {
        step.progress(percent, 100, '%')
      })
      if (result.code !== 0) throw explainApt(context, packages, result.output)
    })
    step.finish(`Installed Debian packages: ${packages.join(', ')}`)
  } catch (error) {
    step.abandon()
    throw error
  }
}

/**
 * @param {readonly Requirement[]} requirements
 * @param {readonly string[]} packages
 * @param {{ hasApt: boolean, hasSystemd: boolean }} machine
 */
export function cannotInstall(requirements, packages, machine) {
  const names = requirements.map(({ name }) => name).join(', ')
  if (!machine.hasApt) {
    return new SetupFailure(`Missing on this machine: ${names}`, {
      advice: [
        'Only on Debian and Ubuntu can the set-up install these itself. Install them with your',
        `system’s packages, then run this again. Debian calls them: ${packages.join(' ')}`,
      ],
    })
  }
  const services = machine.hasSystemd ? SERVICES : []
  const stop = services
    .filter((service) => packages.includes(service))
    .map((service) => `  sudo systemctl disable --now ${service}   (its service is not needed)`)
  return new SetupFailure(`Missing Debian packages: ${packages.join(' ')}`, {
    advice: [
      'Run this again as root, or install them yourself:',
      `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`,
      ...stop,
    ],
  })
}

/**
 * Tries to install; a machine without package lists (a fresh container), with outdated ones, or
 * with an interrupted installation is repaired, then tried once more.
 * @param {readonly string[]} packages
 * @param {(percent: number) => void} onPercent
 */
async function installWithRepairs(packages, onPercent) {
  const install = () =>
    apt(['install', '-y', '--no-install-recommends', ...packages], (line) => {
      const percent = aptPercent(line)
      if (percent !== undefined) onPercent(percent)
    })
  const first = await install()
  if (first.code === 0) return first
  if (/dpkg --configure -a/.test(first.output)) {
    await run('dpkg', ['--configure', '-a'], { env: quietEnv(), outlives: true })
  } else {
    const update = await apt(['update'])
    // apt-get update succeeds when it could reach nothing at all; the second install tells.
    if (update.code !== 0) return update
  }
  return install()
}

/**
 * @param {readonly string[]} args
 * @param {(line: string) => void} [onStatus]
 */
function apt(args, onStatus) {
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=2']
  const status = onStatus ? ['-o', 'APT::Status-Fd=3'] : []
  return run('apt-get', ['-q', ...options, ...status, ...args], {
    env: quietEnv(),
    outlives: true,
    ...(onStatus ? { onStatus } : {}),
  })
}

const quietEnv = () => ({
  ...process.env,
  DEBIAN_FRONTEND: 'noninteractive',
  NEEDRESTART_SUSPEND: '1',
  LC_ALL: 'C.UTF-8',
})

/**
 * Reads a line of apt's status output, `dlstatus:…` while it downloads and `pmstatus:…` while it
 * installs. Downloading counts as the first half.
 * @param {string} line
 * @returns {number | undefined}
 */
export function aptPercent(line) {
  const [kind, , percent] = line.split(':')
  const value = Number.parseFloat(percent ?? '')
  if (Number.isNaN(value)) return undefined
  if (kind === 'dlstatus') return Math.round(value / 2)
  return kind === 'pmstatus' ? Math.round(50 + value / 2) : undefined
}

/**
 * Runs an installation during which no service is started, and leaves none enabled.
 * @param {readonly string[]} packages
 * @param {() => Promise<void>} install
 */
async function withoutServices(packages, install) {
  const services = SERVICES.filter((service) => packages.includes(service))
  const guarded = services.length > 0 && claimPolicy()
  try {
    await install()
  } finally {
    if (guarded) rmSync(POLICY_FILE, { force: true })
  }
  for (const service of services) {
    if (hasSystemd()) await run('systemctl', ['disable', '--now', service])
    else await run('update-rc.d', [service, 'disable'])
  }
}

const hasSystemd = () => existsSync('/run/systemd/system')

/** Puts our policy in place unless the machine has its own; one left by a killed run is ours. */
function claimPolicy() {
  if (existsSync(POLICY_FILE)) return readFileSync(POLICY_FILE, 'utf8') === POLICY
  writeFileSync(POLICY_FILE, POLICY, { mode: 0o755 })
  return true
}

/**
 * @param {Context} context
 * @param {readonly string[]} packages
 * @param {string} output
 */
function explainApt(context, packages, output) {
  const log = keepLog(context.cache, 'apt', output)
  const reason = aptReason(output)
  const host = unreachableHost(output)
  return new SetupFailure(
    host
      ? `Could not install Debian packages: ${host} cannot be reached; apt says: ${reason}`
      : `Could not install Debian packages (${packages.join(' ')}); apt says: ${reason}`,
    {
      advice: host
        ? ['Check the network, the proxy and /etc/apt/sources.list, then run this again.']
        : [`To see it in full: apt-get install ${packages.join(' ')}`],
      ...(log ? { log } : {}),
    },
  )
}

/**
 * The host that apt could not reach, if that was the trouble.
 * @param {string} output
 * @returns {string | undefined}
 */
export function unreachableHost(output) {
  const named =
    /(?:Could not resolve|Could not connect to|Cannot initiate the connection to) '?([\w.-]+)/
  return named.exec(output)?.[1]
}

/** @param {string} output */
export function aptReason(output) {
  const lines = output.split('\n').filter((line) => /^(?:E|W|Err|dpkg: error)/.test(line))
  return (lines.find((line) => line.startsWith('E:')) ?? lines[0] ?? 'nothing').slice(0, 300)
}
