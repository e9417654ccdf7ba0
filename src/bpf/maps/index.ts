export { attachMap, createMap, destroyMap } from './create.ts';
export type { MapDefinition, MapKind } from './definition.ts';
export type { BpfMap, MapEntries, MapEntry, UpdateMode } from './map.ts';
