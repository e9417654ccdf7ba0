import { type Engine, Interpreter, type InterpreterOptions, WasmCompiler } from '../../bpf/index.ts';
import { CliError } from '../errors.ts';

const ENGINES: Readonly<Record<string, (options: InterpreterOptions) => Engine>> = {
  wasm: () => new WasmCompiler(),
  interpreter: (options) => new Interpreter(options),
};

export function engineNamed(name: string, options: InterpreterOptions = {}): Engine {
  const make = ENGINES[name];
  if (make === undefined) {
    throw new CliError('CLI_BAD_ARGUMENT', `--engine ${name}: expected one of ${Object.keys(ENGINES).join(', ')}`);
  }
  return make(options);
}
