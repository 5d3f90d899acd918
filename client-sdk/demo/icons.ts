/** Outlines on a 24 × 24 grid, drawn with the text colour. */
const outlines = {
  mic: 'M12 4a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V7a3 3 0 0 0-3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
  'mic-off':
    'M4 4l16 16M9 9v3a3 3 0 0 0 4.6 2.5M15 11.5V7a3 3 0 0 0-5.6-1.5M5.5 11.5a6.5 6.5 0 0 0 10.2 5.3M18.3 13a6.5 6.5 0 0 0 .2-1.5M12 18v3',
  camera:
    'M4 7h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2ZM15 11l6-3.5v9L15 13',
  'camera-off':
    'M3 3l18 18M6.5 7H4a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2h9c.7 0 1.300-.3 1.700-.9M10.500 7H13a2 2 0 0 1 2 2v2.500M15 11l6-3.500v9l-2-1.200',
  screen:
    'M4 5h16a1.500 1.500 0 0 1 1.500 1.500v9A1.500 1.500 0 0 1 20 17H4a1.500 1.500 0 0 1-1.500-1.500v-9A1.500 1.500 0 0 1 4 5ZM8.500 20.500h7M12 14V8.500M9.500 11L12 8.500l2.500 2.500',
  phone:
    'M6.600 3.500h2.200l1.500 4-2 1.600a12 12 0 0 0 6.600 6.600l1.600-2 4 1.500v2.200a2.600 2.600 0 0 1-2.800 2.600A16.500 16.500 0 0 1 4 6.300 2.600 2.600 0 0 1 6.600 3.500Z',
  hangup:
    'M3 13.500c0-1.200.5-2.200 1.400-3A12.500 12.500 0 0 1 12 8c2.900 0 5.500.9 7.600 2.500.9.800 1.400 1.800 1.400 3v.7c0 .7-.6 1.200-1.300 1.100l-3-.5c-.6-.1-1-.6-1-1.200v-1.500a12 12 0 0 0-7.400 0v1.500c0 .6-.4 1.100-1 1.200l-3 .5c-.7.1-1.300-.4-1.300-1.100Z',
  add: 'M10 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM3.500 20a6.500 6.500 0 0 1 13 0M19 8v6M16 11h6',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  'lock-open': 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 6.800-1.200',
  verified:
    'M12 3l7 3v5.500c0 4.500-3 7.800-7 9.500-4-1.700-7-5-7-9.500V6ZM8.800 12l2.300 2.300 4.200-4.600',
  warning: 'M12 4l9 16H3ZM12 10v4.500M12 17.300v.200',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  group:
    'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 20a6.500 6.500 0 0 1 13 0M16 4.300a3.500 3.500 0 0 1 0 6.500M18 14a6.500 6.500 0 0 1 3.500 6',
  hand: 'M8 12.5V6.7a1.5 1.5 0 0 1 3 0V11M11 10.500V5a1.5 1.5 0 0 1 3 0v6M14 11V6.500a1.5 1.5 0 0 1 3 0V14a6.5 6.5 0 0 1-6.500 6.500A6 6 0 0 1 5.600 17.700L3.800 14.300a1.500 1.500 0 0 1 2.500-1.600L8 14.800',
  smile:
    'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM8.500 14a4.200 4.200 0 0 0 7 0M9.200 9.300v.700M14.800 9.300v.700',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5.500v13l10.500-6.500Z',
  forward: 'M13 6l6 6-6 6M19 12H5',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  device:
    'M8 3.500h8a1.500 1.500 0 0 1 1.500 1.500v14a1.500 1.500 0 0 1-1.500 1.500H8A1.500 1.500 0 0 1 6.500 19V5A1.500 1.500 0 0 1 8 3.500ZM11 17.500h2',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.100 2.100M16.300 16.300l2.100 2.100M5.600 18.400l2.100-2.100M16.300 7.700l2.100-2.100',
  close: 'M6 6l12 12M18 6L6 18',
} as const

export type IconName = keyof typeof outlines

const NAMESPACE = 'http://www.w3.org/2000/svg'

/** An icon beside a text or label that says the same. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(NAMESPACE, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(NAMESPACE, 'path')
  path.setAttribute('d', outlines[name])
  svg.append(path)
  return svg
}

/** The sign of the product. */
export function brandMark(): SVGElement {
  const svg = document.createElementNS(NAMESPACE, 'svg')
  svg.setAttribute('viewBox', '0 0 32 32')
  svg.setAttribute('aria-hidden', 'true')
  const rect = document.createElementNS(NAMESPACE, 'rect')
  for (const [key, value] of Object.entries({ width: '32', height: '32', rx: '9' })) {
    rect.setAttribute(key, value)
  }
  const path = document.createElementNS(NAMESPACE, 'path')
  path.setAttribute(
    'd',
    'M9 12a4 4 0 0 1 4-4h6a4 4 0 0 1 4 4v4a4 4 0 0 1-4 4h-4l-4 4v-4.500A4 4 0 0 1 9 16Z',
  )
  svg.append(rect, path)
  return svg
}
