import { describe, expect, test } from 'vitest'
import { cpuShare, leastLoaded, nodeLoad } from './load.ts'

describe('load', () => {
  test('CPU is what was used over the time that really passed', () => {
    expect(cpuShare({ at: 0, usedMs: 100 }, { at: 4_000, usedMs: 1_100 })).toBe(0.25)
    expect(cpuShare({ at: 5, usedMs: 100 }, { at: 5, usedMs: 200 })).toBe(0)
    expect(cpuShare({ at: 0, usedMs: 100 }, { at: 10, usedMs: 0 })).toBe(0)
  })

  test('a room goes to the worker with the least CPU', () => {
    expect(leastLoaded([worker(0, { cpu: 0.6 }), worker(1, { cpu: 0.2 })])).toBe(1)
  })

  test('people count before their CPU shows', () => {
    expect(leastLoaded([worker(0, { peers: 20 }), worker(1, { cpu: 0.1 })])).toBe(1)
  })

  test('empty rooms spread', () => {
    expect(leastLoaded([worker(0, { rooms: 2 }), worker(1, { rooms: 1 })])).toBe(1)
  })

  test('no worker, no place', () => {
    expect(leastLoaded([])).toBeUndefined()
    expect(nodeLoad([])).toEqual({ cpu: 0, rooms: 0, peers: 0, workers: 0 })
  })

  test('a node is as busy as its busiest worker', () => {
    const workers = [worker(0, { cpu: 0.9, rooms: 1 }), worker(1, { cpu: 0.1, peers: 3 })]
    expect(nodeLoad(workers)).toEqual({ cpu: 0.9, rooms: 1, peers: 3, workers: 2 })
  })
})

function worker(index: number, load: { cpu?: number; rooms?: number; peers?: number }) {
  return { worker: index, cpu: 0, rooms: 0, peers: 0, ...load }
}
