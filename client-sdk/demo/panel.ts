import { el, refill } from './dom.ts'
import type { Child } from './dom.ts'

/** What a panel is called. */
export interface PanelNames {
  /** Its id, and the name of its style. */
  readonly id: string
  readonly title: string
}

/** A panel beside the call whose contents follow it. */
export function livePanel({ id, title }: PanelNames, contents: () => readonly Child[]) {
  const body = el('div', { class: 'stack' })
  const element = el(
    'section',
    { class: `details ${id}`, id, 'aria-label': title, hidden: true, tabindex: -1 },
    el('h2', {}, title),
    body,
  )
  const render = () => {
    if (element.hidden) return
    // Where what has the keyboard focus is replaced, its successor has it.
    const focused = body.querySelector<HTMLElement>(':focus')?.dataset['key']
    refill(body, ...contents())
    if (focused === undefined || body.contains(document.activeElement)) return
    const again = body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)
    if (again) again.focus()
    else element.focus()
  }
  const show = (open: boolean) => {
    element.hidden = !open
    render()
    if (open) element.focus()
  }
  return { element, render, toggle: () => show(element.hidden !== false), close: () => show(false) }
}
