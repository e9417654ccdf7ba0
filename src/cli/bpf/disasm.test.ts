import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { runCli } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'oko-asm-'));
const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs `oko bpf …`; what it printed. */
async function bpf(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const printed = { out: '', err: '' };
  const capture = (into: 'out' | 'err') => (text: string | Uint8Array) => {
    printed[into] += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(capture('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(capture('err'));
  const status = await runCli(['bpf', ...args]);
  return { status, ...printed };
}

describe('oko bpf disasm', () => {
  it('prints maps, functions and instructions, and source on request', async () => {
    const { status, out } = await bpf('disasm', example('rate-limiter.o'), '--source');
    expect(status).toBe(0);
    expect(out).toContain('; program entry, section .text, 79 instructions\n');
    expect(out).toContain('; map 0 limits: array, key 4 bytes, value 16 bytes, 256 entries\n');
    expect(out).toContain('\n0000000000000000 <entry>:\n');
    expect(out).toMatch(
      /; rate-limiter\.c:\d+ {2}uint64_t now = ubpf_time_get_ns\(\);\n\s+\d+:\t85 00 00 00 05 00 00 00\tcall 0x5\t; ubpf_time_get_ns\n/,
    );
    expect(out).toMatch(/\tr1 = map 0x1 ll\t; budgets\n/);
  });

  it('prints JSON', async () => {
    const { out } = await bpf('disasm', example('port-knocking.o'), '--json');
    const program = JSON.parse(out);
    expect(program.maps[1]).toMatchObject({ name: '.rodata', initial: '581b401f2823', readOnly: true });
    expect(program.instructions.at(-1)).toMatchObject({ bytes: '9500000000000000', text: 'exit' });
    expect(program.functions).toEqual([{ pc: 0, name: 'entry' }]);
  });

  it.each([
    [[example('rate-limiter.c')], 'BPF_BAD_BYTECODE_LENGTH'],
    [
      [example('rate-limiter.o'), '--function', 'filter'],
      'the object has no program called filter; it has entry (section .text)',
    ],
    [['/nonexistent.o'], 'SYSTEM_ENOENT'],
    [['/dev/zero'], 'BPF_OBJECT_TOO_LARGE'],
  ])('refuses %j in one line', async (args, text) => {
    const { status, out, err } = await bpf('disasm', ...args);
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/^oko: .*\n$/);
    expect(err).toContain(text);
  });
});

describe('oko bpf asm', () => {
  it('assembles what disasm printed into the same bytecode', async () => {
    const text = join(folder, 'filter.s');
    const output = join(folder, 'filter.bin');
    writeFileSync(text, (await bpf('disasm', example('block-list.o'), '--source')).out);
    expect(await bpf('asm', text, '-o', output)).toEqual({ status: 0, out: '', err: '' });
    const hex = (await bpf('asm', text)).out;
    expect(readFileSync(output).toString('hex')).toBe(hex.trim());
    const again = (await bpf('disasm', output)).out;
    expect(
      again
        .split('\n')
        .filter((line) => line.includes('\t'))
        .map((line) => line.split('\t')[1]),
    ).toEqual(
      readFileSync(text, 'utf8')
        .split('\n')
        .filter((line) => line.includes('\t'))
        .map((line) => line.split('\t')[1]),
    );
  });

  it('refuses by line, and leaves no output behind', async () => {
    const text = join(folder, 'bad.s');
    writeFileSync(text, 'r0 = 1\nr0 ?= 2\nexit\n');
    const { status, err } = await bpf('asm', text, '-o', join(folder, 'bad.bin'));
    expect(status).toBe(1);
    expect(err).toBe('oko: line 2: "r0 ?= 2" is not an instruction (BPF_BAD_ASSEMBLY)\n');
    expect((await bpf('asm', example('rate-limiter.c'), '-o', join(folder, 'no', 'such'))).status).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(['bad.s', 'filter.bin', 'filter.s']);
  });
});
