import { existsSync } from 'node:fs'

import { which } from './command.mjs'

/**
 * @typedef {object} Requirement Something of the operating system, met by any of its commands or
 *   headers, wherever these come from: a browser from its maker serves as well as Debian's.
 * @property {string} name What it is, for people on other systems.
 * @property {string} debian The package that brings it on Debian and Ubuntu.
 * @property {readonly string[]} [commands] Any one of them will do.
 * @property {string} [header]
 */

/** @type {readonly Requirement[]} */
export const browsers = [
  {
    name: 'Chromium',
    debian: 'chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  },
  { name: 'Firefox', debian: 'firefox-esr', commands: ['firefox-esr', 'firefox'] },
]

/** What tests run beside Parley. @type {readonly Requirement[]} */
export const programs = [
  { name: 'coturn', debian: 'coturn', commands: ['turnserver'] },
  { name: 'Redis', debian: 'redis-server', commands: ['redis-server'] },
  { name: 'the openssl command', debian: 'openssl', commands: ['openssl'] },
  { name: 'certutil', debian: 'libnss3-tools', commands: ['certutil'] },
  { name: 'systemd-analyze', debian: 'systemd', commands: ['systemd-analyze'] },
]

/** What the worker's build needs. @type {readonly Requirement[]} */
export const workerBuild = [
  { name: 'a C++20 compiler', debian: 'g++', commands: ['c++', 'g++', 'clang++'] },
  { name: 'CMake', debian: 'cmake', commands: ['cmake'] },
  { name: 'Ninja', debian: 'ninja-build', commands: ['ninja'] },
  { name: 'OpenSSL 3', debian: 'libssl-dev', header: 'openssl/ssl.h' },
  { name: 'libuv', debian: 'libuv1-dev', header: 'uv.h' },
  { name: 'libsrtp 2', debian: 'libsrtp2-dev', header: 'srtp2/srtp.h' },
  { name: 'Abseil', debian: 'libabsl-dev', header: 'absl/container/flat_hash_map.h' },
  { name: 'FlatBuffers', debian: 'libflatbuffers-dev', header: 'flatbuffers/flatbuffers.h' },
  { name: 'flatc', debian: 'flatbuffers-compiler', commands: ['flatc'] },
]

/** The shared libraries that a built worker loads, by what the loader calls them. */
const LIBRARY_PACKAGES = new Map([
  ['libsrtp2.so.1', 'libsrtp2-1'],
  ['libssl.so.3', 'libssl3'],
  ['libcrypto.so.3', 'libssl3'],
  ['libnss3.so', 'libnss3'],
  ['libnspr4.so', 'libnspr4'],
  ['libstdc++.so.6', 'libstdc++6'],
  ['libgcc_s.so.1', 'libgcc-s1'],
])

/**
 * The packages that bring shared libraries which a cached worker does not find.
 * @param {readonly string[]} libraries
 * @returns {Requirement[]}
 */
export function libraryRequirements(libraries) {
  return libraries.map((library) => ({
    name: library,
    debian: LIBRARY_PACKAGES.get(library) ?? library.replace(/\.so\.(\d+).*$/, '$1'),
  }))
}

/** Where compilers look for headers. */
const INCLUDE_FOLDERS = ['/usr/include', '/usr/local/include']

/**
 * Those requirements that this machine does not meet.
 * @param {readonly Requirement[]} requirements
 * @param {{ hasCommand?: (name: string) => boolean, hasHeader?: (path: string) => boolean }} [probe]
 * @returns {Requirement[]}
 */
export function missing(
  requirements,
  {
    hasCommand = (name) => which(name) !== undefined,
    hasHeader = (path) => INCLUDE_FOLDERS.some((folder) => existsSync(`${folder}/${path}`)),
  } = {},
) {
  return requirements.filter(({ commands = [], header }) => {
    const met = commands.some(hasCommand) || (header !== undefined && hasHeader(header))
    return !met
  })
}
