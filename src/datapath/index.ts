export type { DatapathAction, OutputAction, SetAction } from './action.ts';
export { type Clock, ManualClock, WallClock } from './clock.ts';
export type {
  CachedFlow,
  CompiledPrograms,
  CompiledProgramsUser,
  Datapath,
  DatapathCounters,
  DatapathOptions,
  ProgramRunner,
  ToMainHandler,
  Upcall,
  UpcallHandler,
  Verdict,
} from './datapath.ts';
export { DATAPATH_ERRORS, DatapathError } from './errors.ts';
export { CoreDatapath, type CoreDatapathOptions } from './fast/core-datapath.ts';
export { type DatapathLimits, DEFAULT_LIMITS } from './fast/memory.ts';
export { PmdDatapath, type PmdDatapathOptions } from './fast/pmd-datapath.ts';
export { PmdMemory } from './fast/pmd-memory.ts';
export { type FlowNode, LENGTH_QUESTION, type Outcome, type ProgramResult, Question } from './outcome.ts';
export { LOCAL_PORT, PlainDatapath, type PlainDatapathOptions } from './plain/plain-datapath.ts';
export type { Port, PortCounters } from './port.ts';
export { CallbackPort } from './ports/callback-port.ts';
export { DummyPort, type DummyPortCaptures } from './ports/dummy-port.ts';
