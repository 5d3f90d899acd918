import { readFileSync } from 'node:fs'

/**
 * @typedef {Record<string, string>} Ranges
 *
 * @typedef {object} Dependencies What a manifest asks for, and the lockfile repeats.
 * @property {Ranges} [dependencies]
 * @property {Ranges} [devDependencies]
 * @property {Ranges} [optionalDependencies]
 * @property {Ranges} [peerDependencies]
 *
 * @typedef {Dependencies & {
 *   version: string,
 *   workspaces?: string[],
 *   scripts?: Record<string, string>,
 *   repository?: { url: string },
 * }} Manifest A package.json.
 *
 * @typedef {Dependencies & {
 *   version?: string,
 *   integrity?: string,
 *   optional?: boolean,
 *   peer?: boolean,
 *   link?: boolean,
 * }} LockedPackage
 *
 * @typedef {Record<string, LockedPackage>} LockedPackages By path, the root's being empty.
 */

/**
 * Reads a package.json, which npm has checked or will check.
 * @param {string} file
 */
export function readManifest(file) {
  return /** @type {Manifest} */ (readJson(file))
}

/**
 * Reads the packages of a package-lock.json, or of npm's own record of what it installed.
 * @param {string} file
 */
export function readLockedPackages(file) {
  const { packages } = /** @type {{ packages: LockedPackages }} */ (readJson(file))
  return packages
}

/** @param {string} file */
function readJson(file) {
  /** @type {unknown} */
  const value = JSON.parse(readFileSync(file, 'utf8'))
  return value
}
