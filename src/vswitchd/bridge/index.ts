export type { BridgeInterface, FailedInterface, OpenInterface } from './bridge-interface.ts';
export { type BridgeSurroundings, ConfiguredBridge } from './configured-bridge.ts';
export { datapathIdText } from './datapath-id.ts';
export { statusOf, unsupportedInBridge, unsupportedInInterface, unsupportedInPort } from './unsupported.ts';
