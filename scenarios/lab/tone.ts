import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SAMPLE_RATE_HZ = 48_000
const AMPLITUDE = 0.5
const WAV_HEADER_BYTES = 44

/** Writes one second of a sine, which Chromium plays over and over as its microphone. */
export function writeTone(frequencyHz: number): string {
  const samples = Buffer.alloc(SAMPLE_RATE_HZ * 2)
  for (let i = 0; i < SAMPLE_RATE_HZ; i++) {
    const value = AMPLITUDE * Math.sin((2 * Math.PI * frequencyHz * i) / SAMPLE_RATE_HZ)
    samples.writeInt16LE(Math.round(value * 32_767), i * 2)
  }
  const header = Buffer.alloc(WAV_HEADER_BYTES)
  header.write('RIFF', 0)
  header.writeUInt32LE(WAV_HEADER_BYTES - 8 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(SAMPLE_RATE_HZ, 24)
  header.writeUInt32LE(SAMPLE_RATE_HZ * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  const path = join(mkdtempSync(join(tmpdir(), 'parley-tone-')), 'tone.wav')
  writeFileSync(path, Buffer.concat([header, samples]))
  return path
}
