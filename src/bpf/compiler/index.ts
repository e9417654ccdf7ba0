export { WasmCompiler, WasmProgram } from './compiler.ts';
export { type CompileOptions, compileProgram, DESCRIPTOR, EXPORT, IMPORT } from './program-module.ts';
