import type { CallClient } from '../src/index.ts'
import { el } from './dom.ts'
import { announce, attempt } from './notices.ts'
import { openSheet } from './sheet.ts'

const SERVICE_WORKER = '/sw.js'

/** What is set for this browser: whether it is woken for calls. */
export async function settingsSheet(client: CallClient): Promise<void> {
  const isOn = await isWoken()
  openSheet('settings', 'Settings', () => {
    const input = el('input', { type: 'checkbox', role: 'switch', checked: isOn })
    // It shows what came of it, not what was clicked.
    input.addEventListener('change', () => {
      const { checked } = input
      input.checked = !checked
      input.disabled = true
      void attempt(() => wake(client, checked)).then((done) => {
        input.disabled = false
        input.focus()
        if (!done) return
        input.checked = checked
        announce(checked ? 'This browser is woken for calls' : 'This browser is not woken any more')
      })
    })
    const words = 'A notification tells you of calls while this page is closed.'
    return [
      el('label', { class: 'switch' }, input, 'Wake this browser when somebody calls'),
      el('p', { class: 'hint' }, words),
    ]
  })
}

/** Subscriptions change by themselves: the server is told at each start of what there is. */
export async function renewWaking(client: CallClient): Promise<void> {
  // Nobody has asked for anything, so nobody is told where it fails.
  if (await isWoken()) await wake(client, true).catch(() => undefined)
}

function wake(client: CallClient, on: boolean): Promise<void> {
  return on ? client.enablePush({ serviceWorker: SERVICE_WORKER }) : client.disablePush()
}

async function isWoken(): Promise<boolean> {
  // Absent on pages without TLS, and push in some browsers.
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined
  const registration = await workers?.getRegistration(SERVICE_WORKER)
  const manager = registration?.pushManager
  return Boolean(await manager?.getSubscription())
}
