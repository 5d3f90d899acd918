import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { SetupFailure } from './failure.mjs'

/**
 * ts-mls 1.6.4 refuses valid ratchet trees when somebody joins: `validateRatchetTree` compares whole
 * lists of unmerged leaves on all ancestors, where RFC 9420 §12.4.3.1 asks for membership on the
 * nodes between the leaf and the parent. Three lines, applied to the very file that npm's integrity
 * hash covers. To be dropped with the first release that has the mend.
 */
const FILE = 'node_modules/ts-mls/dist/src/clientState.js'
const ORIGINAL = '63645bc3be6ec7f6d4f6d88af5c0b63e34f5e1fea693c62bd958d228b51b6f61'
const PATCHED = 'b914429f5bfca0c4dfe42017c8fb02e0336f38bc7650a8e02c66a6fcfab58a75'

/** @type {readonly (readonly [string, string])[]} */
const HUNKS = [
  [
    'if (tree[nodeIndex]?.nodeType !== "leaf" && !dp.includes(toNodeIndex(i)))',
    'if (tree[nodeIndex]?.nodeType !== "leaf" || !dp.includes(toNodeIndex(i)))',
  ],
  [
    'for (const parentIdx of dp) {\n                    const dpNode = tree[parentIdx];',
    'for (const parentIdx of dp) {\n                    if (parentIdx === toNodeIndex(i)) break;\n                    const dpNode = tree[parentIdx];',
  ],
  [
    'if (!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves))',
    'if (!dpNode.parent.unmergedLeaves.includes(unmergedLeaf))',
  ],
]

/**
 * Whether the installed ts-mls is the mended one; true where it is not installed at all, as in the
 * images of the servers.
 * @param {string} root
 */
export function mlsPatched(root) {
  const file = join(root, FILE)
  return !existsSync(file) || sha256(readFileSync(file, 'utf8')) === PATCHED
}

/**
 * Mends the installed ts-mls, once. A file that is neither the known one nor the mended one is
 * refused: nobody has looked at it.
 * @param {string} root
 */
export function patchMls(root) {
  if (mlsPatched(root)) return
  const file = join(root, FILE)
  const text = readFileSync(file, 'utf8')
  const mended = sha256(text) === ORIGINAL ? applyHunks(text) : text
  if (sha256(mended) !== PATCHED) {
    throw new SetupFailure(`${FILE} is not the one that the patch was made for`, {
      advice: ['Delete node_modules and run this again; if ts-mls was upgraded, review the patch.'],
    })
  }
  // Written beside and renamed: npm may share the file with other checkouts by hard links.
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, mended)
  renameSync(temporary, file)
}

/** @param {string} text */
function applyHunks(text) {
  let mended = text
  for (const [before, after] of HUNKS) mended = mended.replace(before, () => after)
  return mended
}

/** @param {string} text */
function sha256(text) {
  return createHash('sha256').update(text).digest('hex')
}
