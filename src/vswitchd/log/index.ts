export {
  type LevelFilter,
  LOG_MODULES,
  Log,
  type LogModule,
  type LogOptions,
  type LogTarget,
  type MessageLevel,
  type ModuleLog,
} from './log.ts';
export { type LogRecord, readableLine } from './readable.ts';
