import { el } from './dom.ts'
import type { Child } from './dom.ts'

/** Opens a sheet over the page. It is gone once it is closed, and the focus is back where it was. */
export function openSheet(
  kind: string,
  heading: string,
  content: (close: () => void) => readonly Child[],
): HTMLDialogElement {
  const title = `${kind.replace(' ', '-')}-title`
  const sheet = el('dialog', { class: `sheet ${kind}`, 'aria-labelledby': title })
  const close = () => sheet.close()
  sheet.append(
    el(
      'div',
      { class: 'content' },
      el('h2', { id: title }, heading),
      ...content(close).filter((child) => child !== undefined && child !== false),
      el('button', { class: 'button quiet', type: 'button', onclick: close }, 'Close'),
    ),
  )
  sheet.addEventListener('close', () => sheet.remove())
  document.body.append(sheet)
  sheet.showModal()
  return sheet
}
