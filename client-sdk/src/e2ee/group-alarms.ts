import type { GroupEffect, GroupState } from '../core/group-state.ts'

/** What was refused, and the library's or the guards' word on it. */
export interface GroupAlarm {
  readonly kind:
    'bad-offer' | 'bad-welcome' | 'bad-commit' | 'bad-message' | 'withheld-commit' | 'group-reset'
  readonly detail: string
}

/** What to call the failure of a piece of work; only what others have sent is a cause for alarm. */
export function alarmOf({ type }: GroupEffect): GroupAlarm['kind'] | undefined {
  if (type === 'process') return 'bad-commit'
  if (type === 'commit') return 'bad-offer'
  return type === 'enter' || type === 'enterUninvited' ? 'bad-welcome' : undefined
}

/** Whether the group was given up, and nobody can have asked for that. */
export function isResetForNothing(before: GroupState, after: GroupState): boolean {
  return after.resets.unexplained > before.resets.unexplained
}
