export { readSignalingConfig, signalingSettings } from './config.ts'
export type { SignalingConfig } from './config.ts'
export { startSignaling } from './server.ts'
export type { Signaling, SignalingContext } from './server.ts'
