import { existsSync, realpathSync } from 'node:fs'
import { basename, delimiter, dirname } from 'node:path'

import { keepLog } from './cache.mjs'
import { run, which } from './command.mjs'
import { SetupFailure } from './failure.mjs'

/** @typedef {import('./context.mjs').Context} Context */

/** A registry that does not answer is given up after seconds, not after npm's minute and a half. */
const PATIENCE = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']

/** What npm's error codes mean for the person who started us. */
const ADVICE = [
  {
    codes: ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ETIMEDOUT', 'ECONNRESET', 'EHOSTUNREACH'],
    says: (/** @type {string} */ host) => `the npm registry ${host} cannot be reached`,
    advice: [
      'Check the network, or name a registry that this machine reaches:',
      '  npm config set registry https://…   (and proxy or https-proxy, if there is one)',
    ],
  },
  {
    codes: ['ENETUNREACH', 'ERR_SOCKET_TIMEOUT', 'EPROTO', 'E502', 'E503', 'E504'],
    says: (/** @type {string} */ host) => `the npm registry ${host} does not answer properly`,
    advice: ['Check the network and the proxy settings (npm config list), then run this again.'],
  },
  {
    codes: ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED'],
    says: (/** @type {string} */ host) =>
      `the certificate of the npm registry ${host} is not trusted`,
    advice: ['Name your authority: npm config set cafile /path/to/ca.pem'],
  },
  {
    codes: ['E401', 'E403', 'E404', 'ETARGET', 'EINTEGRITY'],
    says: (/** @type {string} */ host) => `the npm registry ${host} did not deliver a package`,
    advice: [
      'If it is a mirror, see whether it carries the package and lets this machine read it.',
    ],
  },
  {
    codes: ['EUSAGE'],
    says: () => 'package.json and package-lock.json do not fit together',
    advice: ['Bring the lockfile up to date with `npm install`, and commit it.'],
  },
  {
    codes: ['ENOSPC'],
    says: () => 'the disk is full',
    advice: ['Free about a gigabyte, then run this again.'],
  },
  {
    codes: ['EACCES', 'EPERM', 'EROFS'],
    says: () => 'npm may not write where it needs to',
    advice: ['See who owns this folder and npm’s cache (npm config get cache).'],
  },
]

/**
 * Runs npm under the given Node, whichever Node the `npm` on the path belongs to.
 * @param {Context} context
 * @param {string} node
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
export async function runNpm(context, node, args, cwd = context.root) {
  const env = {
    ...context.env,
    // Scripts of packages find this Node first as well.
    PATH: [dirname(node), context.env['PATH'] ?? ''].join(delimiter),
    // mediasoup's install script would download or build a worker; the worker step does it better.
    MEDIASOUP_WORKER_BIN: context.env['MEDIASOUP_WORKER_BIN'] ?? 'left-to-the-set-up',
    npm_config_loglevel: 'error',
    npm_config_update_notifier: 'false',
  }
  const cli = npmScript(context.env)
  const quiet = ['--no-audit', '--no-fund', '--no-progress', ...PATIENCE]
  const command = cli ? [node, cli] : ['npm']
  const [file = node, ...before] = command
  return run(file, [...before, ...args, ...quiet], { cwd, env })
}

/**
 * Turns npm's output into one line and advice.
 * @param {Context} context
 * @param {string} attempt What was tried, such as `install the packages`.
 * @param {string} output
 */
export async function explainNpm(context, attempt, output) {
  const log = keepLog(context.cache, 'npm', output)
  if (output.includes('npm: command not found')) {
    return new SetupFailure('npm is not installed', { advice: ['apt-get install npm'] })
  }
  const known = knownNpmFailure(output, await registryHost(context))
  const details = { advice: known?.advice ?? [], ...(log ? { log } : {}) }
  const why = [known?.says, npmReason(output)].filter(Boolean).join('; npm says: ')
  return new SetupFailure(`Could not ${attempt}: ${why}`, details)
}

/**
 * @param {string} output
 * @param {string} registry
 * @returns {{ says: string, advice: readonly string[] } | undefined}
 */
export function knownNpmFailure(output, registry) {
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1]
  const known = ADVICE.find(({ codes }) => code !== undefined && codes.includes(code))
  return known && { says: known.says(registry), advice: known.advice }
}

/**
 * The one line of npm's output that says most.
 * @param {string} output
 */
export function npmReason(output) {
  const lines = output
    .split('\n')
    .map((line) => /^npm (?:error|ERR!) (.*)/.exec(line)?.[1]?.trim() ?? '')
    .filter((line) => line && !/^(code|errno|syscall|path|A complete log|Log files)\b/.test(line))
  return lines[0] ?? output.trim().split('\n').at(-1) ?? 'nothing'
}

/** @param {Context} context */
async function registryHost(context) {
  const { output } = await runNpm(context, process.execPath, ['config', 'get', 'registry'])
  const url = /https?:\/\/\S+/.exec(output)?.[0]
  return url && URL.canParse(url) ? new URL(url).host : '(unknown)'
}

/**
 * The JavaScript file that `npm` stands for, if it can be found: the npm that started us, else the
 * one on the path.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
function npmScript(env) {
  const starter = env['npm_execpath']
  if (starter && basename(starter) === 'npm-cli.js' && existsSync(starter)) return starter
  const found = which('npm', env)
  const target = found && realpathSync(found)
  return target && basename(target) === 'npm-cli.js' ? target : undefined
}
