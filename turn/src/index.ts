export { readTurnConfig, turnSettings } from './config.ts'
export type { ListenerAddress, RelayAddress, TurnConfig } from './config.ts'
export { startTurn } from './start.ts'
export type { TurnHandle, TurnSources, TurnStats } from './start.ts'
