export { Bridge, type BridgeOptions } from './bridge.ts';
export { OFPROTO_ERRORS, OfprotoError } from './errors.ts';
export { type FilterProgram, FilterPrograms, type FilterProgramsOptions } from './filter-programs.ts';
export { MacTable } from './mac-table.ts';
export { Rule } from './rule.ts';
