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
