import { Command } from 'commander';
import { disassemble, encodeProgram, listing, type MapDefinition, type Program, SLOT_BYTES } from '../../bpf/index.ts';
import { toHex } from '../../bytes/index.ts';
import { readProgramFile } from './program-file.ts';

interface DisasmOptions {
  readonly section?: string;
  readonly function?: string;
  readonly source?: true;
  readonly json?: true;
}

export function disasmCommand(): Command {
  return new Command('disasm')
    .description("Print a program's instructions as llvm-objdump does, with its maps and functions.")
    .argument('<file>', 'a compiled object (.o), or bare bytecode')
    .option('--section <name>', 'the program in this section of the object')
    .option('--function <name>', 'the program that starts with this function')
    .option('--source', 'show the source lines between the instructions (object compiled with -g)')
    .option('--json', 'print JSON')
    .action((file: string, options: DisasmOptions) => {
      const program = readProgramFile(file, options);
      const text =
        options.json === true ? JSON.stringify(programJson(program), undefined, 2) : programText(program, options);
      process.stdout.write(`${text}\n`);
    });
}

function programText(program: Program, { source }: DisasmOptions): string {
  const { name, section, instructions, maps } = program;
  const place = section === undefined ? '' : `, section ${section}`;
  return [
    `; program ${name}${place}, ${instructions.length} instructions`,
    ...maps.map((map, index) => `; map ${index} ${map.name}: ${mapText(map)}`),
    ...listing(program, { source: source === true }),
  ].join('\n');
}

function mapText({ kind, keySize, valueSize, maxEntries, hashCount, initial, readOnly }: MapDefinition): string {
  if (initial !== undefined)
    return `global data, ${valueSize} bytes${readOnly === true ? ', read-only' : ''}: ${toHex(initial.subarray(0, 32), ' ')}${initial.length > 32 ? ' …' : ''}`;
  if (kind === 'bloom') return `Bloom filter, item ${keySize} bytes, ${maxEntries} bits, ${hashCount} hash functions`;
  if (kind === 'count-min')
    return `count-min sketch, item ${keySize} bytes, ${hashCount} rows of ${maxEntries} counters of ${valueSize} bytes`;
  return `${kind}, key ${keySize} bytes, value ${valueSize} bytes, ${maxEntries} entries`;
}

function programJson(program: Program): unknown {
  const { name, section, instructions, maps, functions, lines } = program;
  const bytes = encodeProgram(instructions);
  return {
    name,
    section,
    maps: maps.map(({ initial, ...map }) => (initial === undefined ? map : { ...map, initial: toHex(initial) })),
    functions,
    lines,
    instructions: disassemble(instructions).map(({ pc, slots, text, target }) => ({
      pc,
      bytes: toHex(bytes.subarray(pc * SLOT_BYTES, (pc + slots) * SLOT_BYTES)),
      text,
      target,
    })),
  };
}
