export { type BridgeInterface, ConfiguredBridge, type FailedInterface, type OpenInterface } from './bridge/index.ts';
export { VSWITCHD_ERRORS, VswitchdError } from './errors.ts';
export { type Folders, foldersFrom, makeFolder } from './folders.ts';
export * from './log/index.ts';
export type { DeviceState, DummyMode, NetworkDevice } from './netdev/index.ts';
export type { TlsFiles } from './tls.ts';
export { LogLevels } from './unixctl/index.ts';
export { Vswitchd, type VswitchdOptions } from './vswitchd.ts';
