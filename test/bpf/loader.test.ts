import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { BpfError, loadObject, type MapDefinition, type Program } from '../../src/bpf/index.ts';
import { compilers, exampleNames, flagMatrix, Workbench } from './compilers.ts';

const bench = new Workbench();
afterAll(() => bench.remove());

/** What lddw instructions refer to, in order: `limits`, or `.data+8`. */
function references({ instructions, maps }: Program): string[] {
  return instructions.flatMap(({ opcode, src, imm }, pc) => {
    if (opcode !== 0x18 || src === 0) return [];
    return [src === 1 ? maps[imm].name : `${maps[imm].name}+${instructions[pc + 1].imm}`];
  });
}

/** Where local calls lead, by function name. */
function calls({ instructions, functions }: Program): string[] {
  return instructions.flatMap(({ opcode, src, imm }, pc) => {
    if (opcode !== 0x85 || src !== 1) return [];
    const target = functions.find((func) => func.pc === pc + 1 + imm);
    return [target?.name ?? `nowhere (${pc + 1 + imm})`];
  });
}

function refusal(bytes: Uint8Array): string {
  try {
    loadObject(bytes).select();
  } catch (error) {
    if (error instanceof BpfError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

const bothMapStyles = `
#include "oko.h"
struct ubpf_map_def SEC("maps") first = { UBPF_MAP_TYPE_HASHMAP, 4, 8, 16, 0 };
struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(key_size, 8); __uint(value_size, 4);
         __uint(max_entries, 32); __uint(map_flags, 1); } second SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __type(key, struct { uint32_t a[3]; uint16_t b; });
         __type(value, uint64_t[4]); __uint(max_entries, 8); } third SEC(".maps");
static struct ubpf_map_def SEC("maps") fourth = { UBPF_MAP_TYPE_COUNTMIN, 4, 4, 64, 3 };
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __type(key, uint32_t); __type(value, uint32_t);
         __uint(max_entries, 8); __uint(map_flags, 0x80); } fifth SEC(".maps");
uint64_t entry(void *pkt, uint64_t pkt_len)
{
	uint32_t key = pkt_len, prefix[2] = {32, pkt_len}, wide[4] = {pkt_len};
	ubpf_map_lookup(&first, &key);
	ubpf_map_lookup(&second, prefix);
	ubpf_map_lookup(&third, wide);
	ubpf_map_add(&fourth, &key);
	return ubpf_map_lookup(&fifth, &key) != NULL;
}`;

/** As the original Oko's programs declare maps: among the globals, in .data. */
const okoData = (extra = '') => `
#include "oko.h"
struct ubpf_map_def flows = { UBPF_MAP_TYPE_ARRAY, 4, 4, 256, 0 };
uint32_t threshold = 1000;
uint32_t like_a_map[5] = { 4, 4, 8, 16, 0 };
static struct ubpf_map_def seen = { UBPF_MAP_TYPE_HASHMAP, 8, 8, 1024, 0 };
uint64_t counter;
${extra}
uint64_t entry(void *pkt, uint64_t pkt_len)
{
	uint64_t key = pkt_len;
	uint32_t *value = ubpf_map_lookup(&flows, &key);
	uint64_t *other = ubpf_map_lookup(&seen, &key);
	counter += 1;
	like_a_map[key & 3] += 1;
	threshold += 1;
	return value && other && *value > *(volatile uint32_t *)&threshold;
}`;

const programs = `
#include "oko.h"
static __attribute__((noinline)) uint64_t twice(uint64_t x) { asm volatile(""); return 2 * x; }
static __attribute__((noinline)) uint64_t plus(uint64_t x, uint64_t y) { asm volatile(""); return twice(x) + y; }
__attribute__((noinline)) uint64_t shared(uint64_t x) { asm volatile(""); return plus(x, 3) + twice(x); }
SEC("filter/web") uint64_t web(void *pkt, uint64_t pkt_len) { return shared(pkt_len) == 80; }
SEC("filter/dns") uint64_t dns(void *pkt, uint64_t pkt_len) { return plus(pkt_len, 1) == 53; }
SEC("filter/dns") uint64_t dot(void *pkt, uint64_t pkt_len) { return pkt_len == 853; }
`;

for (const compiler of compilers) {
  describe.skipIf(!compiler.isHere)(`objects of ${compiler.name} (needs ${compiler.name})`, () => {
    describe.each(flagMatrix(compiler))('%s %s', (cpu, level) => {
      it.each(level === '-O2' ? ['with -g', 'without -g'] : ['with -g'])('the examples, %s', (debug) => {
        for (const name of exampleNames) {
          const flags = debug === 'with -g' ? [cpu, level, '-g'] : [cpu, level];
          const bytes = new Uint8Array(readFileSync(bench.compileExample(compiler, name, flags)));
          if (name === 'block-list' && flags.length === 2) {
            expect(refusal(bytes)).toContain('BPF_BAD_MAP section .maps declares maps by their types');
            continue;
          }
          const program = loadObject(bytes).select();
          const committed = loadObject(new Uint8Array(readFileSync(`examples/${name}.o`)));
          expect(program.maps).toEqual(committed.maps);
          expect(new Set(references(program))).toEqual(new Set(references(committed.select())));
          expect(program.lines.length > 0).toBe(flags.length === 3);
        }
      });

      it('maps in both styles, numbered in their order', () => {
        const { maps } = loadObject(bench.compileText(compiler, bothMapStyles, [cpu, level, '-g']));
        const declared = [
          { name: 'first', kind: 'hash', keySize: 4, valueSize: 8, maxEntries: 16, hashCount: 0 },
          { name: 'fourth', kind: 'count-min', keySize: 4, valueSize: 4, maxEntries: 64, hashCount: 3 },
          { name: 'second', kind: 'lpm-trie', keySize: 8, valueSize: 4, maxEntries: 32, hashCount: 0 },
          { name: 'third', kind: 'per-thread-hash', keySize: 16, valueSize: 32, maxEntries: 8, hashCount: 0 },
          { name: 'fifth', kind: 'lru-hash', keySize: 4, valueSize: 4, maxEntries: 8, hashCount: 0, readOnly: true },
        ];
        expect(maps).toEqual(declared);
      });

      it.each(['-g', '-g0'])('maps among globals in .data, with %s', (debug) => {
        const program = loadObject(bench.compileText(compiler, okoData(), [cpu, level, debug])).select();
        const [flows, seen, ...globals] = program.maps;
        expect(flows).toEqual({
          name: 'flows',
          kind: 'array',
          keySize: 4,
          valueSize: 4,
          maxEntries: 256,
          hashCount: 0,
        });
        expect(seen).toMatchObject({ kind: 'hash', keySize: 8, valueSize: 8, maxEntries: 1024 });
        const data = globals.find((map) => map.name === '.data');
        const bss = globals.find((map) => map.name === '.bss');
        expect(globals).toHaveLength(2);
        expect(bss).toMatchObject({
          kind: 'array',
          keySize: 4,
          valueSize: 8,
          maxEntries: 1,
          initial: new Uint8Array(8),
        });
        expect(new Uint32Array((data?.initial ?? new Uint8Array()).slice(20, 44).buffer)).toEqual(
          Uint32Array.of(1000, 4, 4, 8, 16, 0),
        );
        expect(new Set(references(program))).toEqual(new Set(['flows', seen.name, '.bss+0', '.data+20', '.data+24']));
      });

      it('several programs, and local functions behind them', () => {
        const object = loadObject(bench.compileText(compiler, programs, [cpu, level, '-g']));
        expect(object.entries).toEqual([
          { section: 'filter/web', function: 'web' },
          { section: 'filter/dns', function: 'dns' },
          { section: 'filter/dns', function: 'dot' },
        ]);
        const web = object.select({ section: 'filter/web' });
        expect(web.functions.map((func) => func.name)).toEqual(['web', 'shared', 'plus', 'twice']);
        expect(calls(web)).toEqual(['shared', 'plus', 'twice', 'twice']);
        expect(calls(object.select({ function: 'dns' }))).toEqual(['plus', 'twice']);
        expect(object.select({ function: 'dot' }).functions).toEqual([{ pc: 0, name: 'dot' }]);
        expect(object.select({ function: 'twice' }).functions).toEqual([{ pc: 0, name: 'twice' }]);
        expect(() => object.select()).toThrow(
          'the object has several programs; choose one: web (section filter/web), dns (section filter/dns), dot (section filter/dns)',
        );
        expect(() => object.select({ section: 'filter/dns' })).toThrow('several programs in section filter/dns');
        // Lines move with their functions.
        for (const { pc, text } of web.lines) {
          const name = web.functions.findLast((func) => func.pc <= pc)?.name ?? '';
          expect(text).toContain(`${name}(`);
        }
      });
    });

    const compile = (text: string) => bench.compileText(compiler, `#include "oko.h"\n${text}`);

    it('strings and constant tables come as read-only data', () => {
      const { maps } = loadObject(
        compile(`
static const uint16_t table[4] = {1, 2, 3, 4};
uint64_t entry(void *pkt, uint64_t pkt_len)
{
	ubpf_printf("%d bytes", pkt_len);
	return ((volatile const uint16_t *)table)[pkt_len & 3];
}`),
      );
      const text = maps.map(({ initial }) => new TextDecoder().decode(initial)).join('');
      expect(text).toContain('%d bytes\0');
      expect(text).toContain('\x01\0\x02\0\x03\0\x04\0');
      for (const map of maps) expect(map).toMatchObject({ kind: 'array', maxEntries: 1, readOnly: true });
    });

    it.each<[string, string, string]>([
      [
        'a call of a function of another file',
        'uint64_t far(uint64_t); uint64_t entry(void *pkt, uint64_t n) { return far(n); }',
        'BPF_UNDEFINED_SYMBOL section .text, instruction',
      ],
      [
        'a variable of another file',
        'extern uint64_t far; uint64_t entry(void *pkt, uint64_t n) { return far; }',
        'variable far is not defined in the object',
      ],
      [
        'a pointer to a function',
        `__attribute__((noinline)) static uint64_t f(uint64_t n) { return n; }
         uint64_t (*volatile chosen)(uint64_t);
         uint64_t entry(void *pkt, uint64_t n) { chosen = f; return chosen(n); }`,
        'takes the address of function f; function pointers are not supported',
      ],
      [
        'data that holds addresses',
        `static const char *names[] = {"one", "two"};
         uint64_t entry(void *pkt, uint64_t n) { return ((const char *volatile *)names)[n & 1][0]; }`,
        'holds addresses (pointers as initial values), which are not supported',
      ],
      [
        'CO-RE',
        `struct thing { int a, b; } __attribute__((preserve_access_index));
         uint64_t entry(struct thing *pkt, uint64_t n) { return pkt->b; }`,
        'CO-RE relocations (preserve_access_index) are not supported',
      ],
      ['no function', 'int data = 4;', 'BPF_NO_PROGRAM the object has no program: no section holds instructions'],
      [
        'a map of 2^31 entries',
        `struct ubpf_map_def SEC("maps") m = { 4, 4, 4, 1u << 31, 0 };
         uint64_t entry(void *pkt, uint64_t n) { return ubpf_map_lookup(&m, &n) != NULL; }`,
        'BPF_BAD_MAP map m (hash): max_entries is 2147483648',
      ],
      [
        'a map struct of another size',
        `struct { uint32_t type, key, value, entries, flags, extra; } m SEC("maps") = { 4, 4, 4, 1, 0, 0 };
         uint64_t entry(void *pkt, uint64_t n) { return ubpf_map_lookup(&m, &n) != NULL; }`,
        'BPF_BAD_MAP map m is 24 bytes; struct ubpf_map_def of oko.h has 20',
      ],
      [
        'something in .data that is used as a map and is none',
        `uint32_t m[5] = { 77, 4, 4, 1, 0 };
         uint64_t entry(void *pkt, uint64_t n) { return ubpf_map_lookup(m, &n) != NULL; }`,
        'BPF_BAD_MAP map m: type 77 is not one of',
      ],
      [
        'a BTF map of a kind that there is not',
        `struct { __uint(type, 3); __uint(max_entries, 4); __type(key, uint32_t); __type(value, uint32_t); } m SEC(".maps");
         uint64_t entry(void *pkt, uint64_t n) { return ubpf_map_lookup(&m, &n) != NULL; }`,
        'BPF_BAD_MAP map m: BPF_MAP_TYPE number 3 is not supported; these are: 1 hash',
      ],
      [
        'a BTF map with an unknown attribute',
        `struct { __uint(type, 1); __uint(pinning, 1); __uint(max_entries, 4); __type(key, int); __type(value, int); } m SEC(".maps");
         uint64_t entry(void *pkt, uint64_t n) { return ubpf_map_lookup(&m, &n) != NULL; }`,
        'BPF_BAD_MAP map m: the attribute pinning is not supported',
      ],
      [
        'a BTF map that contradicts itself',
        `struct { __uint(type, 1); __uint(key_size, 8); __uint(max_entries, 4); __type(key, int); __type(value, int); } m SEC(".maps");
         uint64_t entry(void *pkt, uint64_t n) { return ubpf_map_lookup(&m, &n) != NULL; }`,
        'BPF_BAD_MAP map m: key says 4 bytes where key said 8',
      ],
      [
        'a BTF map without entries',
        `struct { __uint(type, 1); __type(key, int); __type(value, int); } m SEC(".maps");
         uint64_t entry(void *pkt, uint64_t n) { return ubpf_map_lookup(&m, &n) != NULL; }`,
        'BPF_BAD_MAP map m (hash): max_entries is 0',
      ],
    ])('refuses %s', (_, text, message) => expect(refusal(compile(text))).toContain(message));

    it('the committed objects are what the sources give', (context) => {
      if (compiler.version !== 14) context.skip('the committed objects are made by clang-14');
      for (const name of exampleNames) {
        const bytes = new Uint8Array(readFileSync(bench.compileExample(compiler, name, ['-O2', '-g', '-mcpu=v3'])));
        const committed = loadObject(new Uint8Array(readFileSync(`examples/${name}.o`))).select();
        expect(loadObject(bytes).select().instructions).toEqual(committed.instructions);
      }
    });

    it.each([
      ['-g', 'entry'],
      ['-g0', '.text'],
    ])('an object without the symbol of its function, compiled with %s', (debug, name) => {
      const bytes = bench.compileNameless(compiler, okoData(), ['-O2', debug]);
      const { functions, maps } = loadObject(bytes).select();
      expect(functions).toEqual([{ pc: 0, name }]);
      const kinds: MapDefinition['kind'][] = ['array', 'hash', 'array', 'array'];
      expect(maps.map((map) => map.kind)).toEqual(kinds);
    });
  });
}
