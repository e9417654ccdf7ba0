export { cellsOf, putCell } from './cells.ts';
export { attachMap, createMap, destroyMap, mapBytes, placeMap } from './create.ts';
export type { MapDefinition, MapKind } from './definition.ts';
export type { BpfMap, MapEntries, MapEntry, UpdateMode } from './map.ts';
