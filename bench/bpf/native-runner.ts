import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import type { BpfMap } from '../../src/bpf/index.ts';
import { keyHashSecrets } from '../../src/bpf/maps/key-hash.ts';
import { repositoryRoot } from '../repository.ts';
import { BATCH, Bed } from './bed.ts';
import type { Runner } from './runner.ts';
import type { Scenario } from './scenario.ts';

export const COMPILER = 'gcc';
const FLAGS = ['-O2', '-shared', '-fPIC', '-fvisibility=hidden', '-w'];

export function hasCompiler(): boolean {
  return spawnSync(COMPILER, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** The same C, compiled by gcc, with helpers and maps that it can inline (`native/native.h`). */
export function nativeRunner(scenario: Scenario): Runner {
  const bed = new Bed(scenario);
  const directory = mkdtempSync(join(tmpdir(), 'oko-bench-'));
  try {
    const source = join(directory, `${scenario.filter}.c`);
    const library = join(directory, `${scenario.filter}.so`);
    writeFileSync(source, sourceOf(scenario, bed));
    const compiled = spawnSync(COMPILER, [...FLAGS, '-o', library, source], { encoding: 'utf8' });
    if (compiled.status !== 0) throw new Error(`${COMPILER} ${scenario.filter}: ${compiled.stderr}`);
    const native = koffi.load(library);
    const window = native.func('void *native_window(void)')();
    const run = native.func('void native_run(uint32_t descriptors, uint32_t batches, uint32_t packets)');
    const bytes = new Uint8Array(koffi.view(window, bed.windowBytes));
    bytes.set(bed.bytes);
    return {
      name: COMPILER,
      bytes,
      run(descriptors, count) {
        const whole = Math.floor(count / BATCH);
        run(descriptors, whole, BATCH);
        if (count > whole * BATCH) run(descriptors + whole * BATCH * 16, 1, count - whole * BATCH);
      },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function sourceOf({ filter }: Scenario, bed: Bed): string {
  const { maps, thread, clock } = bed.world;
  const path = (name: string): string => fileURLToPath(new URL(name, repositoryRoot));
  const names = maps.map((map) => map.definition.name);
  const resolve = names.reduceRight(
    (rest, name) => `(map) == &${name} ? &native_map_${name} : ${rest}`,
    '(const struct native_map *)0',
  );
  return [
    `#define WINDOW_BYTES ${bed.windowBytes}`,
    `#define THREAD ${thread.address}`,
    `#define EPOCH ${clock.address}`,
    `#include "${path('examples/oko.h')}"`,
    `#include "${path('bench/bpf/native/native.h')}"`,
    ...names.map((name) => `static const struct ubpf_map_def ${name};`),
    ...maps.map(mapSource),
    `#define RESOLVE(map) (${resolve})`,
    `#include "${path(`examples/${filter}.c`)}"`,
    `#include "${path('bench/bpf/native/driver.h')}"`,
    '',
  ].join('\n');
}

function mapSource(map: BpfMap): string {
  const { definition, layout } = map;
  const isArray = definition.kind === 'array';
  if (!isArray && definition.kind !== 'hash' && definition.kind !== 'lru-hash')
    throw new Error(`map ${definition.name}: native.h has no ${definition.kind}`);
  const secrets = keyHashSecrets(map.seed, definition.keySize);
  const hex = (value: bigint): string => `0x${value.toString(16)}ull`;
  const fields = [
    `.lru = ${definition.kind === 'lru-hash' ? 1 : 0}, .array = ${isArray ? 1 : 0}`,
    `.key_size = ${definition.keySize}, .value_size = ${definition.valueSize}, .max_entries = ${definition.maxEntries}u`,
    `.address = ${map.address}, .data = ${layout.data}, .stride = ${layout.stride}`,
    `.slot_bits = ${layout.slotBits}, .region_bits = ${layout.regionBits}, .value_offset = ${layout.valueOffset}`,
    `.final_multiplier = ${hex(secrets.finalMultiplier)}, .word_multiplier = ${hex(secrets.wordMultiplier)}`,
    `.words = {${secrets.words.map(hex).join(', ')}}`,
  ];
  return `static const struct native_map native_map_${definition.name} = {${fields.join(', ')}};`;
}
