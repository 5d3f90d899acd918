import { el } from './dom.ts'
import { icon } from './icons.ts'
import type { IconName } from './icons.ts'
import { openSheet } from './sheet.ts'

/** Something that can be done in a call. `narrow`: it stands here where the page is too narrow for it. */
export interface Deed {
  readonly icon: IconName
  readonly label: string
  readonly narrow?: boolean
  readonly run: () => unknown
}

/** The rest of what can be done in a call. */
export function moreSheet(deeds: readonly Deed[]): void {
  openSheet('more', 'More', (close) =>
    deeds.map(({ icon: name, label, narrow = false, run }) => {
      const onclick = () => {
        // First, so that the focus comes back to where this was opened from.
        close()
        run()
      }
      const kind = narrow ? 'button narrow' : 'button'
      return el('button', { class: kind, type: 'button', onclick }, icon(name), label)
    }),
  )
}
