export { readSfuConfig, sfuSettings } from './config.ts'
export type { SfuConfig } from './config.ts'
export { startSfu } from './sfu.ts'
export type { Sfu, SfuSurroundings } from './sfu.ts'
