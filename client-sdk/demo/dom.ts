/** What can stand inside an element. Nothing is shown for `undefined` and `false`. */
export type Child = Node | string | undefined | false

/** Attributes by name, and listeners as `onclick`. `undefined` and `false` leave one out. */
export type Properties = Readonly<
  Record<string, string | number | boolean | undefined | ((event: Event) => void)>
>

/** Makes an element. Text is text: names of people never become markup. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== undefined && value !== false) element.setAttribute(key, String(value))
  }
  element.append(...children.filter((child) => child !== undefined && child !== false))
  return element
}

/** Puts other children in the place of an element's own. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(...children.filter((child) => child !== undefined && child !== false))
}

/**
 * Brings what stands in an element to `children`, and leaves alone what is the same: a button that is
 * replaced between its being pressed and let go does nothing. Parts are the same ones by their
 * `data-key` or name. Their listeners may hold ids, but no state that their words do not show.
 */
export function refill(element: Element, ...children: readonly Child[]): void {
  const fresh = document.createElement('div')
  fill(fresh, ...children)
  settle(element, fresh)
}

function settle(element: Element, fresh: Element): void {
  const before = [...element.childNodes]
  const now = [...fresh.childNodes].map((child) => {
    const at = before.findIndex((one) => keyOf(one) === keyOf(child))
    const old = before[at]
    if (!old || !isKept(old, child)) return child
    before.splice(at, 1)
    return old
  })
  for (const gone of before) gone.remove()
  for (const [index, node] of now.entries()) {
    const there = element.childNodes[index]
    if (there !== node) element.insertBefore(node, there ?? null)
  }
}

/** Whether the old node can stay: it is the same, or only its inside is not and was changed. */
function isKept(old: Node, fresh: Node): boolean {
  if (old.isEqualNode(fresh)) return true
  if (!(old instanceof HTMLElement) || !(fresh instanceof HTMLElement)) return false
  // What can be pressed comes with its listeners.
  if (old.matches('button, input')) return false
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name)) old.removeAttribute(name)
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value)
  settle(old, fresh)
  return true
}

function keyOf(node: Node): string {
  if (!(node instanceof HTMLElement)) return node.nodeName
  return node.dataset['key'] ?? node.getAttribute('aria-label') ?? node.nodeName
}

/** The part of the page with this id; the page is ours, so it is there. */
export function part(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (!element) throw new Error(`the page has no #${id}`)
  return element
}

/** A coloured disc with the initials of a name; the same name has the same colour everywhere. */
export function avatar(name: string): HTMLElement {
  const initials = name
    .split(/[\s._@-]+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => String.fromCodePoint(word.codePointAt(0) ?? 0).toUpperCase())
    .join('')
  const hue = Array.from(name).reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 360, 7)
  return el('div', { class: 'avatar', 'aria-hidden': 'true', style: `--hue: ${hue}` }, initials)
}
