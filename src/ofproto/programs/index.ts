export { CompileWorker } from './compile-worker.ts';
export { DirectCompiler, type ProgramCompiler } from './compiler.ts';
export {
  type FilterProgram,
  type LoadRequest,
  type LoadResult,
  MAX_OBJECT_BYTES,
  MAX_PROGRAM_ID,
} from './program.ts';
export { ProgramStore } from './program-store.ts';
