import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { SetupFailure } from './failure.mjs'

/**
 * What is mended of ts-mls 1.6.4, in the very files that npm's integrity hash covers. To be dropped
 * with the first release that has the mends.
 *
 * `validateRatchetTree` refuses valid ratchet trees when somebody joins: it compares whole lists of
 * unmerged leaves on all ancestors, where RFC 9420 §12.4.3.1 asks for membership on the nodes between
 * the leaf and the parent.
 *
 * `parentHashCoverage` hashes half of the tree for each leaf that came with a key package, and then
 * finds that such a leaf has no parent hash to compare with: to join a hundred people took a second.
 * @type {readonly { file: string, original: string, patched: string, hunks: readonly (readonly [string, string])[] }[]}
 */
const MENDS = [
  {
    file: 'node_modules/ts-mls/dist/src/clientState.js',
    original: '63645bc3be6ec7f6d4f6d88af5c0b63e34f5e1fea693c62bd958d228b51b6f61',
    patched: 'b914429f5bfca0c4dfe42017c8fb02e0336f38bc7650a8e02c66a6fcfab58a75',
    hunks: [
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
    ],
  },
  {
    file: 'node_modules/ts-mls/dist/src/parentHash.js',
    original: 'b3455b2fa840b212a95a91cdfe36ee4d2ef52849f43233dd100347ae54737877',
    patched: 'd15ae35b097ef65157f5d2fac55478bd2ea9e1f35db5d767ca1e4f12f0e06a25',
    hunks: [
      [
        '            // parentHashNodeIndex is the node index where',
        '            if (getParentHash(currentNode) === undefined) break;\n            // parentHashNodeIndex is the node index where',
      ],
    ],
  },
]

/**
 * Whether the installed ts-mls is the mended one; true where it is not installed at all, as in the
 * images of the servers.
 * @param {string} root
 */
export function mlsPatched(root) {
  return MENDS.every(({ file, patched }) => {
    const path = join(root, file)
    return !existsSync(path) || sha256(readFileSync(path, 'utf8')) === patched
  })
}

/**
 * Mends the installed ts-mls, once. A file that is neither the known one nor the mended one is
 * refused: nobody has looked at it.
 * @param {string} root
 */
export function patchMls(root) {
  for (const mend of MENDS) {
    const path = join(root, mend.file)
    if (!existsSync(path)) continue
    const text = readFileSync(path, 'utf8')
    if (sha256(text) === mend.patched) continue
    const mended = sha256(text) === mend.original ? applyHunks(text, mend.hunks) : text
    if (sha256(mended) !== mend.patched) {
      throw new SetupFailure(`${mend.file} is not the one that the patch was made for`, {
        advice: [
          'Delete node_modules and run this again; if ts-mls was upgraded, review the patch.',
        ],
      })
    }
    // Written beside and renamed: npm may share the file with other checkouts by hard links.
    const temporary = `${path}.${process.pid}.tmp`
    writeFileSync(temporary, mended)
    renameSync(temporary, path)
  }
}

/**
 * @param {string} text
 * @param {readonly (readonly [string, string])[]} hunks
 */
function applyHunks(text, hunks) {
  let mended = text
  for (const [before, after] of hunks) mended = mended.replace(before, () => after)
  return mended
}

/** @param {string} text */
function sha256(text) {
  return createHash('sha256').update(text).digest('hex')
}
