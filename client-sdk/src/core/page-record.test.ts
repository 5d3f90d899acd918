import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readPageRecord, writePageRecord } from './page-record.ts'
import type { PageRecord } from './page-record.ts'

const record: PageRecord = {
  user: 'alice',
  device: 'd1',
  session: 's1',
  key: 'k1',
  missedSeq: 3,
  calls: [
    { id: 'c1', ticket: 't1', direction: 'incoming', from: 'bob', audio: true, video: false },
    { id: 'c2', ticket: 't2', direction: 'room', from: undefined, audio: false, video: false },
  ],
}

describe('what a page keeps over a reload', () => {
  it('comes back as it was', () => {
    expect(readPageRecord(writePageRecord(record))).toEqual(record)
  })

  it('with a field missing or of another type is nothing', () => {
    for (const field of Object.keys(record)) {
      for (const value of [undefined, 7.5, null, '', {}]) {
        expect(readPageRecord(JSON.stringify({ ...record, [field]: value }))).toBeUndefined()
      }
    }
    for (const field of ['id', 'ticket', 'direction', 'audio', 'video']) {
      const calls = [{ ...record.calls[0], [field]: 7 }]
      expect(readPageRecord(JSON.stringify({ ...record, calls }))).toBeUndefined()
    }
  })

  it('never throws, whatever is in the storage', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constant(undefined)), (text) => {
        readPageRecord(text)
      }),
    )
  })
})
