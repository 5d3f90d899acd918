import encodeQR from 'qr'

const NAMESPACE = 'http://www.w3.org/2000/svg'
/** Readers want four light modules around the code. */
const QUIET_MODULES = 4

/** Draws a QR code, dark on light whatever the page's colours are: many readers know no other. */
export function qrCode(text: string, label: string): SVGElement {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_MODULES })
  const size = String(rows.length)
  const svg = document.createElementNS(NAMESPACE, 'svg')
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`)
  svg.setAttribute('class', 'qr')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', label)
  svg.setAttribute('shape-rendering', 'crispEdges')
  const ground = document.createElementNS(NAMESPACE, 'rect')
  for (const [name, value] of [
    ['width', size],
    ['height', size],
    ['fill', '#fff'],
  ] as const) {
    ground.setAttribute(name, value)
  }
  const modules = document.createElementNS(NAMESPACE, 'path')
  modules.setAttribute('fill', '#000')
  const dark = rows.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])))
  modules.setAttribute('d', dark.join(''))
  svg.append(ground, modules)
  return svg
}
