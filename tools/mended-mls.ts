import { patchMls } from './setup/mls-patch.mjs'
import { root } from './source-tree.ts'

/** Tests that are run by hand, after an install by hand, see the library that users get. */
export function setup(): void {
  patchMls(root)
}
