import type { Call, CallClient } from '../src/index.ts'
import { deviceWords } from './device.ts'
import { el } from './dom.ts'
import { icon } from './icons.ts'
import { attempt, toast } from './notices.ts'
import { openSheet } from './sheet.ts'

/** Asks which of one's other devices the call goes on at. */
export async function moveSheet(call: Call, client: CallClient): Promise<void> {
  let devices: readonly string[] = []
  if (!(await attempt(async () => (devices = await client.ownDevices())))) return
  openSheet('invite move', 'Move the call', (close) => {
    const move = async (device: string) => {
      if (!(await attempt(() => call.move(device)))) return
      toast('It rings there. You stay in the call until you answer.')
      close()
    }
    if (devices.length === 0) {
      const words = 'You are connected on no other device. Open this page there, as yourself.'
      return [el('p', { class: 'hint' }, words)]
    }
    const rows = devices.map((device) => {
      const words = deviceWords(device)
      return el(
        'li',
        {},
        icon('device'),
        el('div', { class: 'who' }, el('div', { class: 'name' }, words)),
        el(
          'button',
          {
            class: 'button',
            type: 'button',
            'aria-label': `Move to ${words}`,
            onclick: () => void move(device),
          },
          'Move',
        ),
      )
    })
    return [el('ul', { class: 'people' }, ...rows)]
  })
}
