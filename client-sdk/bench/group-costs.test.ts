import { expect, it } from 'vitest'
import { formatGroupCosts, measureGroupCosts } from './group-costs.ts'

it('measures joins, leaves and renewals, and a commit that removes is one that makes fresh keys', async () => {
  const costs = await measureGroupCosts({ sizes: [2, 9], rounds: 1 }, () => undefined)
  expect(costs.map(({ change, members }) => `${change} ${members}`)).toEqual([
    'join 2',
    'leave 2',
    'renew 2',
    'join 9',
    'join uninvited 9',
    'leave 9',
    'renew 9',
  ])
  for (const { upBytes, downBytes, eachBytes } of costs) {
    expect(upBytes).toBeGreaterThan(eachBytes)
    expect(downBytes).toBeGreaterThanOrEqual(eachBytes)
  }
  const [join, leave] = ['join', 'leave'].map((change) =>
    costs.find((cost) => cost.change === change && cost.members === 9),
  )
  // A path through the tree, with something for each of the others.
  expect(leave?.eachBytes).toBeGreaterThan(join?.eachBytes ?? 0)
  expect(formatGroupCosts(costs).split('\n')).toHaveLength(5 + costs.length)
})
