import { describe, expect, test, vi } from 'vitest';
import { assemble, encodeProgram } from '../../src/bpf/index.ts';
import { toHex } from '../../src/bytes/index.ts';
import { runCli } from '../../src/cli/run.ts';
import { oko, REPOSITORY } from '../support/oko.ts';

const example = (name: string): string => `${REPOSITORY}examples/${name}`;
const hex = (text: string): string => toHex(encodeProgram(assemble(text)));

const EXIT = hex('r0 = 0\nexit');

interface Printed {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** In a process of its own, which has a standard input. */
function runWithInput(input: string, ...args: string[]): Printed {
  const { status, stdout, stderr } = oko(['bpf', 'run', ...args], { input });
  return { status, out: stdout, err: stderr };
}

async function run(...args: string[]): Promise<Printed> {
  const printed = { out: '', err: '' };
  const capture = (into: 'out' | 'err') => (text: string | Uint8Array) => {
    printed[into] += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(capture('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(capture('err'));
  try {
    return { status: await runCli(['bpf', 'run', ...args]), ...printed };
  } finally {
    vi.restoreAllMocks();
  }
}

describe.each(['wasm', 'interpreter'])('oko bpf run --engine %s', (engine) => {
  const engineArgs = ['--engine', engine];

  test('as a plugin of the conformance suite: program on standard input, memory as the argument, r0 on standard output', async () => {
    const program = 'r0 = *(u32 *)(r1 + 0)\nr0 += r2\n*(u8 *)(r1 + 0) = 1\nexit';
    // In the suite's form, bytes are apart.
    const spaced = (hex(program).match(/../g) ?? []).join(' ');
    expect(runWithInput(`${spaced}\n`, '01 00 00 00 ff', ...engineArgs)).toEqual({ status: 0, out: '6\n', err: '' });
    expect(await run(...engineArgs, '0a000000', '--program', hex(program))).toEqual({ status: 0, out: 'e\n', err: '' });
  });

  test('without memory, a 64-bit result', async () => {
    expect(await run(...engineArgs, '--program', hex('r0 = -2\nexit'))).toEqual({
      status: 0,
      out: 'fffffffffffffffe\n',
      err: '',
    });
    expect(await run('', ...engineArgs, '--program', hex('r0 = r2\nexit'))).toEqual({ status: 0, out: '0\n', err: '' });
  });

  test('local functions', async () => {
    expect((await run(...engineArgs, '--program', hex('call f\nexit\nf: r0 = 9\nexit'))).out).toBe('9\n');
  });

  test('an object on every packet of a capture, maps kept between them', async () => {
    const { status, out } = await run(
      '--program',
      example('rate-limiter.o'),
      '--packet',
      example('captures/mix.pcap'),
      ...engineArgs,
    );
    expect(status).toBe(0);
    const results = out.trim().split('\n');
    expect(new Set(results)).toEqual(new Set(['0', '1']));
    expect(results.length).toBe(2033);
  });

  test('a run without end stops', async () => {
    const endless = hex('again: r0 = 1\nif r0 == 1 goto again\nexit');
    const { status, err } = await run(...engineArgs, '--fuel', '1000', '--program', endless);
    expect(status).toBe(1);
    expect(err).toContain('BPF_FUEL_EXHAUSTED');
  });
});

test.each([
  [
    'an instruction that is not implemented',
    ['--program', hex('callx r3\nexit')],
    'callx is not implemented (BPF_UNSUPPORTED)',
  ],
  ['an unknown opcode', ['--program', 'ff00000000000000'], 'BPF_UNKNOWN_OPCODE'],
  ['half an instruction', ['--program', 'b7000000'], 'BPF_BAD_BYTECODE_LENGTH'],
  ['an empty program', ['--program', ''], 'expected bytecode as hex (CLI_BAD_ARGUMENT)'],
  ['memory that is no hex', ['0'], 'expected whole bytes of hex (CLI_BAD_ARGUMENT)'],
  ['a file that is not there', ['--program', './nothing.o'], 'SYSTEM_ENOENT'],
  [
    'fuel that is no number',
    ['--fuel', 'much', '--program', EXIT],
    'expected a number of instructions (CLI_BAD_ARGUMENT)',
  ],
  ['both memory and a capture', ['00', '--packet', 'x.pcap'], 'give either memory or --packet (CLI_BAD_ARGUMENT)'],
  ['an engine that does not exist', ['--engine', 'jit', '--program', EXIT], 'expected one of wasm, interpreter'],
])('refuses %s in one line', async (_what, args, message) => {
  const { status, out, err } = await run(...args);
  expect(status).toBe(1);
  expect(out).toBe('');
  expect(err).toMatch(/^oko: .*\n$/);
  expect(err).toContain(message);
});

test('refuses a standard input that is no hex', () => {
  const { status, out, err } = runWithInput('what\n');
  expect({ status, out }).toEqual({ status: 1, out: '' });
  expect(err).toContain('expected bytecode as hex (CLI_BAD_ARGUMENT)');
});

test('the interpreter names a violation', async () => {
  const program = hex('r0 = *(u16 *)(r1 + 1)\nexit');
  const { status, err } = await run('0102', '--engine', 'interpreter', '--program', program);
  expect(status).toBe(1);
  expect(err).toBe(
    'oko: pc 0: read-out-of-bounds: read of 2 bytes at offset 1 of a packet of 2 bytes (BPF_VIOLATION)\n',
  );
});
