import { readFileSync } from 'node:fs';
import { assemble } from '../../assembler.ts';
import { bytecodeProgram } from '../../bytecode-program.ts';
import type { MapDefinition } from '../../maps/definition.ts';
import type { Program } from '../../program.ts';

/** A case of a `.suite` file (README.md beside this file has the format). */
export interface SuiteCase {
  readonly name: string;
  /** `file.suite:12` */
  readonly place: string;
  readonly program: Program;
  /** Slots of what `given` stands for. */
  readonly preludeSlots: number;
  /** What must be known before the instruction at `pc`. */
  readonly states: readonly { readonly pc: number; readonly parts: readonly string[] }[];
  readonly verdict: Verdict;
  /** Instructions that may be followed. */
  readonly limit: number | undefined;
}

export type Verdict =
  | { readonly accepted: true; readonly summary: Readonly<Record<string, string>> }
  | { readonly accepted: false; readonly code: string; readonly message: string; readonly pc: number | undefined };

const map = (name: string, rest: Partial<MapDefinition>): MapDefinition => ({
  name,
  kind: 'hash',
  keySize: 8,
  valueSize: 16,
  maxEntries: 16,
  hashCount: 0,
  ...rest,
});

/** The maps of every case, by the names that the code uses. */
export const SUITE_MAPS: readonly MapDefinition[] = [
  map('array', { kind: 'array', keySize: 4 }),
  map('hash', {}),
  map('lru', { kind: 'lru-hash' }),
  map('lpm', { kind: 'lpm-trie' }),
  map('bloom', { kind: 'bloom', valueSize: 0, maxEntries: 64, hashCount: 2 }),
  map('sketch', { kind: 'count-min', valueSize: 4, hashCount: 2 }),
  map('thread-array', { kind: 'per-thread-array', keySize: 4 }),
  map('thread-hash', { kind: 'per-thread-hash' }),
  map('wide', { keySize: 40, valueSize: 256 }),
  map('.data', { kind: 'array', keySize: 4, valueSize: 64, maxEntries: 1, initial: new Uint8Array(64) }),
  map('.rodata', {
    kind: 'array',
    keySize: 4,
    valueSize: 16,
    maxEntries: 1,
    readOnly: true,
    initial: new TextEncoder().encode('n=%d\0no end here'),
  }),
];

export function readSuite(path: string): SuiteCase[] {
  const file = path.split('/').at(-1) ?? path;
  const blocks: { line: number; lines: string[] }[] = [];
  for (const [i, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (line.startsWith('case ')) blocks.push({ line: i + 1, lines: [] });
    blocks.at(-1)?.lines.push(line);
  }
  return blocks.map(({ line, lines }) => readCase(`${file}:${line}`, lines));
}

function readCase(place: string, lines: readonly string[]): SuiteCase {
  const rest = lines.slice(1).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const given = rest
    .filter((line) => line.startsWith('given '))
    .flatMap((line) => prelude(place, line.slice(6).trim()));
  const code = rest.filter((line) => !/^(given |limit |=>)/.test(line)).map(withMapNumbers);
  const verdicts = rest.filter((line) => line.startsWith('=>'));
  if (verdicts.length !== 1) throw new Error(`${place}: needs one line with =>`);
  const limit = rest.find((line) => line.startsWith('limit '))?.slice(6);
  const preludeSlots = assemble([...given, 'exit'].join('\n')).length - 1;
  const states: { pc: number; parts: string[] }[] = [];
  let pc = preludeSlots;
  for (const line of code) {
    const expected = line.split('#:')[1];
    const text = line
      .split('#')[0]
      .replace(/^\s*\w+:(?!:)/, '')
      .trim();
    if (expected !== undefined) states.push({ pc, parts: expected.split(',').map((part) => part.trim()) });
    if (text !== '') pc += text.endsWith(' ll') ? 2 : 1;
  }
  const instructions = assemble([...given, ...code.map((line) => line.split('#')[0])].join('\n'));
  return {
    name: lines[0].slice(5).trim(),
    place,
    program: bytecodeProgram(instructions, { name: 'suite', maps: SUITE_MAPS }),
    preludeSlots,
    states,
    verdict: readVerdict(place, verdicts[0].slice(2).trim()),
    limit: limit === undefined ? undefined : Number(limit),
  };
}

function readVerdict(place: string, text: string): Verdict {
  const accepted = /^accept\b(.*)$/.exec(text);
  if (accepted) {
    const pairs = accepted[1].trim().split(/\s+/).filter(Boolean);
    return { accepted: true, summary: Object.fromEntries(pairs.map((pair) => pair.split('='))) };
  }
  const rejected = /^([A-Z_]+)(?: at (\d+))?: (.*)$/.exec(text);
  if (!rejected) throw new Error(`${place}: "=> ${text}" is neither "=> accept" nor "=> CODE: message"`);
  const [, code, at, message] = rejected;
  return { accepted: false, code: `BPF_VERIFIER_${code}`, message, pc: at === undefined ? undefined : Number(at) };
}

function withMapNumbers(line: string): string {
  return line.replace(/\bmap ([a-z.][\w.-]*)/g, (_, name: string) => `map ${mapNumber(name)}`);
}

function mapNumber(name: string): number {
  const index = SUITE_MAPS.findIndex((each) => each.name === name);
  if (index < 0) throw new Error(`no map is called ${name}`);
  return index;
}

const SIZES: Readonly<Record<string, number>> = { '8': 0, '16': 8, '32': 16 };

/** The instructions that make a `given` true; the program ends with 0 where it is not. */
function prelude(place: string, text: string): string[] {
  const unless = (condition: string): string[] => [`if ${condition} goto +2`, 'r0 = 0', 'exit'];
  const packet = /^packet (\d+)$/.exec(text);
  if (packet) return unless(`r2 >= ${packet[1]}`);
  const [, register, what] = /^(r\d) (.+)$/.exec(text) ?? [];
  if (register === undefined) throw new Error(`${place}: what is "given ${text}"?`);
  const data = (size: string): string[] => [
    `${register} = map ${mapNumber('.data')} value 0 ll`,
    `${register} = *(${size} *)(${register} + ${SIZES[size.slice(1)] ?? 24})`,
  ];
  if (what === 'any') return data('u64');
  if (/^[us](8|16|32)$/.test(what)) return data(what);
  const range = /^(-?\d+)\.\.(-?\d+)$/.exec(what);
  if (range) {
    const signed = range[1].startsWith('-') ? 's' : '';
    return [
      ...data('u64'),
      ...unless(`${register} ${signed}>= ${range[1]}`),
      ...unless(`${register} ${signed}<= ${range[2]}`),
    ];
  }
  const value = /^(value|lookup) of (\S+)$/.exec(what);
  if (!value) throw new Error(`${place}: what is "given ${text}"?`);
  const key = [-512, -504, -496, -488, -480].map((at) => `*(u64 *)(r10 - ${-at}) = 0`);
  return [
    'r8 = r1',
    'r9 = r2',
    ...key,
    `r1 = map ${mapNumber(value[2])} ll`,
    'r2 = r10',
    'r2 += -512',
    'call 1',
    ...(value[1] === 'value' ? ['if r0 != 0 goto +1', 'exit'] : []),
    `${register} = r0`,
    'r1 = r8',
    'r2 = r9',
    'r0 = 0',
  ];
}
