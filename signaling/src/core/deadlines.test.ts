import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines } from './deadlines.ts'

test('what is due comes out as if it were looked for in a list, whatever is moved or taken out', () => {
  const step = fc.oneof(
    fc.record({ key: fc.nat(20), at: fc.option(fc.nat(50), { nil: undefined }) }),
    fc.record({ now: fc.nat(50) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const deadlines = new Deadlines<number>()
      const model = new Map<number, number>()
      for (const each of steps) {
        if ('now' in each) {
          const due = [...model].filter(([, at]) => at <= each.now)
          for (const [key] of due) model.delete(key)
          expect(new Set(deadlines.takeDue(each.now))).toEqual(new Set(due.map(([key]) => key)))
        } else {
          deadlines.set(each.key, each.at)
          if (each.at === undefined) model.delete(each.key)
          else model.set(each.key, each.at)
        }
        const earliest = model.size === 0 ? undefined : Math.min(...model.values())
        expect(deadlines.next()).toBe(earliest)
      }
    }),
  )
})
