export type { DatapathAction } from './action.ts';
export { type Clock, ManualClock, WallClock } from './clock.ts';
export type {
  CachedFlow,
  Datapath,
  DatapathCounters,
  ProgramRunner,
  Upcall,
  UpcallHandler,
  Verdict,
} from './datapath.ts';
export { DATAPATH_ERRORS, DatapathError } from './errors.ts';
export { type FlowNode, type Outcome, type ProgramResult, Question } from './outcome.ts';
export { PlainDatapath, type PlainDatapathOptions } from './plain/plain-datapath.ts';
export type { Port, PortCounters } from './port.ts';
export { CallbackPort } from './ports/callback-port.ts';
