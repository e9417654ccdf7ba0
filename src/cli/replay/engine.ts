import { type Engine, Interpreter, WasmCompiler } from '../../bpf/index.ts';
import { CliError } from '../errors.ts';

const ENGINES: Readonly<Record<string, () => Engine>> = {
  wasm: () => new WasmCompiler(),
  interpreter: () => new Interpreter(),
};

export function engineNamed(name: string): Engine {
  const make = ENGINES[name];
  if (make === undefined) {
    throw new CliError('CLI_BAD_ARGUMENT', `--engine ${name}: expected one of ${Object.keys(ENGINES).join(', ')}`);
  }
  return make();
}
