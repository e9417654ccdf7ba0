export { assemble } from './assembler.ts';
export { bytecodeProgram } from './bytecode-program.ts';
export { decodeProgram, encodeProgram, MAX_INSTRUCTIONS, SLOT_BYTES } from './codec.ts';
export { compileProgram, DESCRIPTOR, WasmCompiler, WasmProgram } from './compiler/index.ts';
export { type DisassembledInstruction, disassemble, instructionText } from './disassembler.ts';
export { isElf, MAX_OBJECT_BYTES } from './elf/elf-file.ts';
export { LoadedObject, loadObject, type ProgramChoice, type ProgramEntry } from './elf/object.ts';
export type { Engine, LoadedProgram, LoadOptions, World } from './engine.ts';
export { EpochClock } from './epoch.ts';
export { BPF_ERRORS, BpfError, type BpfErrorCode } from './errors.ts';
export { ERRNO, HELPERS, type Helper } from './helpers.ts';
export { InterpretedProgram, Interpreter, type InterpreterOptions } from './interpreter.ts';
export { formOf, INSTRUCTION_FORMS, type InstructionForm } from './isa.ts';
export { listing } from './listing.ts';
export {
  attachMap,
  type BpfMap,
  cellsOf,
  createMap,
  destroyMap,
  type MapDefinition,
  type MapEntries,
  type MapEntry,
  type MapKind,
  mapBytes,
  placeMap,
  putCell,
  type UpdateMode,
} from './maps/index.ts';
export { EbpfMemory, type EbpfMemoryOptions } from './memory.ts';
export { PacketRunner } from './packet-runner.ts';
export type { Instruction, Program, ProgramFunction, SourceLine } from './program.ts';
export { EbpfThread, type PrintRecord } from './thread.ts';
export {
  formatRejection,
  type Rejection,
  type VerifierResult,
  type VerifierSummary,
  verify,
} from './verifier/index.ts';
export { BpfViolation, type Registers, type ViolationKind } from './violation.ts';
export { createWorld, type WorldOptions } from './world.ts';
