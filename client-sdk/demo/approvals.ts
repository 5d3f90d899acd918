import type { CallClient, OwnDevice } from '../src/index.ts'
import { codeBlock } from './compare.ts'
import { el, fill } from './dom.ts'
import { icon } from './icons.ts'
import { announce, attempt } from './notices.ts'

/**
 * Which devices may speak for one: those that wait to be approved by this one, what this one shows to be
 * approved itself, and the others, which can be revoked.
 */
export function approvalsPanel(client: CallClient) {
  const element = el('section', { class: 'card approvals', 'aria-label': 'Your devices' })
  /** Keys of those that the person does not want to be asked about again, until the page is loaded anew. */
  const ignored = new Set<string>()
  const render = () => {
    const { self, devices } = client.identity
    const others = devices.filter(
      ({ key, self: isSelf, state }) => !isSelf && state !== 'revoked' && !ignored.has(key),
    )
    element.hidden = self === undefined || (self.state === 'approved' && others.length === 0)
    if (element.hidden || !self) return
    const waiting = others.filter(({ state }) => state === 'waiting')
    const approved = others.filter(({ state }) => state === 'approved')
    fill(
      element,
      el('h2', {}, 'Your devices'),
      self.state !== 'approved' && aboutSelf(client, self),
      // What waits with this one cannot be approved here, and is none of its business.
      ...(self.state === 'approved'
        ? waiting.map((device) => waitingRow(client, device, ignore))
        : []),
      ...approved.map((device) => approvedRow(client, device, self)),
    )
  }
  const ignore = ({ key }: OwnDevice) => {
    ignored.add(key)
    render()
  }
  render()
  return { element, render }
}

function aboutSelf(client: CallClient, self: OwnDevice): HTMLElement {
  const { code, state } = self
  if (state === 'revoked') {
    return el(
      'p',
      { class: 'notice' },
      icon('warning'),
      'This device was taken out of your list. People who know you will refuse it.',
    )
  }
  if (state === 'replaced') {
    return el(
      'div',
      { class: 'row' },
      el(
        'p',
        { class: 'notice' },
        icon('warning'),
        'The server shows another list of your devices than the one this device knows. If you have not started anew on another device, somebody pretends to be you.',
      ),
      action('I did: take the new list', () => client.identity.approve(self)),
    )
  }
  return el(
    'div',
    { class: 'row' },
    el(
      'p',
      { class: 'notice' },
      icon('warning'),
      'People who know you are warned of this device until another device of yours approves it. Open this page there, and compare this code:',
    ),
    codeBlock(code),
  )
}

function waitingRow(
  client: CallClient,
  device: OwnDevice,
  ignore: (device: OwnDevice) => void,
): HTMLElement {
  const approve = async () => {
    await client.identity.approve(device)
    announce('Approved')
  }
  return el(
    'div',
    { class: 'row' },
    el(
      'p',
      { class: 'notice' },
      icon('warning'),
      `${nameOf(device)} says that it is yours. Approve it only if it shows exactly this code. If it is not yours, somebody can sign in as you.`,
    ),
    codeBlock(device.code),
    el(
      'div',
      { class: 'choices' },
      action('The same: approve', approve, 'primary'),
      el('button', { class: 'button', type: 'button', onclick: () => ignore(device) }, 'Ignore'),
    ),
  )
}

function approvedRow(client: CallClient, device: OwnDevice, self: OwnDevice): HTMLElement {
  const since = device.since === undefined ? '' : new Date(device.since).toLocaleDateString()
  const revoke = async () => {
    await client.identity.revoke(device)
    announce('Revoked')
  }
  return el(
    'div',
    { class: 'row approved' },
    icon('verified'),
    el(
      'span',
      { class: 'who' },
      [nameOf(device), since && `since ${since}`].filter(Boolean).join(', '),
    ),
    self.state === 'approved' && action('Revoke', revoke),
  )
}

function action(label: string, run: () => Promise<void>, kind = ''): HTMLElement {
  const onclick = () => void attempt(run)
  return el('button', { class: `button ${kind}`, type: 'button', onclick }, label)
}

function nameOf({ device }: OwnDevice): string {
  return device === undefined ? 'A device' : `Device ${device.slice(0, 12)}`
}
