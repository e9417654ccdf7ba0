export { Bridge, type BridgeOptions, type TableSettings, type TraceOptions, type TraceResult } from './bridge.ts';
export * from './connection/index.ts';
export { OFPROTO_ERRORS, OfprotoError, type OfprotoErrorCode } from './errors.ts';
export { FilterPrograms, type FilterProgramsOptions } from './filter-programs.ts';
export type { FlowChange, FlowModOptions } from './flow-changes.ts';
export { allFlows, type FlowQuery } from './flow-query.ts';
export { type AggregateStats, flowStats, type TableStats } from './flow-stats.ts';
export type { AskedRule, TableMiss } from './flow-table.ts';
export { TABLE_COUNT } from './flow-tables.ts';
export { type BridgeListener, type FlowRemoved, type PacketIn, PORT_REASON, type PortStatus } from './listeners.ts';
export { type MacCounters, type MacEntry, MacTable } from './mac-table.ts';
export type { Mirror, MirrorSettings, PortSet } from './mirror.ts';
export {
  type BridgePort,
  isPortNumber,
  MAX_PORT,
  PORT_CONFIG,
  PORT_STATE,
  type PortFeatures,
  type PortMod,
  type PortSettings,
  type PortVlan,
  TRUNK_ALL,
} from './port-table.ts';
export * from './programs/index.ts';
export { REMOVED_REASON, type RemovedReason, Rule } from './rule.ts';
export type { FlowTransaction } from './transaction.ts';
export type { TranslationResult } from './translate/translate.ts';
export type { Tracer, TranslationError } from './translate/walk.ts';
