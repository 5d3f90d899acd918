import { expect, test } from 'vitest'
import { Ear } from './ear.ts'
import { encodeTone } from './microphone.ts'
import { LISTEN_FRAMES } from './plan.ts'
import { toneOfSeat } from './tone.ts'

test('a tone that was encoded is heard as that tone, whatever was heard before', async () => {
  const ear = new Ear()
  await ear.open()
  const tones = [0, 1, 24, 49].map((seat) => toneOfSeat(0, seat))
  for (const toneHz of tones) {
    const frames = encodeTone(toneHz, { silent: false }).slice(0, LISTEN_FRAMES)
    expect(ear.judge(frames, toneHz)).toEqual({ type: 'right' })
    expect(ear.judge(frames, toneHz + 100)).toEqual({ type: 'wrong', heardHz: toneHz })
  }
  ear.close()
})

test('the loop has no seam', async () => {
  const ear = new Ear()
  await ear.open()
  const frames = encodeTone(400, { silent: false })
  const half = LISTEN_FRAMES / 2
  const seam = [...frames.slice(-half), ...frames.slice(0, half)]
  expect(ear.judge(seam, 400)).toEqual({ type: 'right' })
  ear.close()
})

test('encoded silence is silence, straight after a tone too', async () => {
  const ear = new Ear()
  await ear.open()
  ear.judge(encodeTone(400, { silent: false }).slice(0, LISTEN_FRAMES), 400)
  const silence = encodeTone(400, { silent: true }).slice(0, LISTEN_FRAMES)
  expect(ear.judge(silence, 400)).toEqual({ type: 'silent' })
  ear.close()
})
