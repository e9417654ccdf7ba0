export { type BridgeConfig, type Configuration, type PortConfig, readConfiguration } from './configuration.ts';
export { isConfiguration } from './relevance.ts';
export { type Client, type OpenVswitch, type Row, rowsOf } from './rows.ts';
export { isSameValue } from './same-value.ts';
