import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { EpochClock } from '../../src/bpf/epoch.ts';
import { createMap } from '../../src/bpf/maps/create.ts';
import type { MapDefinition } from '../../src/bpf/maps/definition.ts';
import { EbpfMemory } from '../../src/bpf/memory.ts';
import { EbpfThread } from '../../src/bpf/thread.ts';
import { runs } from '../support/property-runs.ts';

const THREADS = 3;

/**
 * r1: a key that ends in the u32 which is its number, and u32 what to do. Values hold their key, its complement and a count of additions. Returns 0 or an errno, 100 for a
 * value that is not its key's, 1 for an addition.
 */
function programFor(keySize: number): string {
  return `
      r6 = *(u32 *)(r1 + ${keySize - 4})
      r7 = *(u32 *)(r1 + ${keySize})
      *(u32 *)(r10 - 8) = 32
      *(u32 *)(r10 - 4) = w6
      r1 = r6
      r1 ^= -1
      *(u64 *)(r10 - 32) = r6
      *(u64 *)(r10 - 24) = r1
      *(u64 *)(r10 - 16) = 0
      r1 = map 0 ll
      r2 = r10
      r2 += -${keySize}
      if r7 == 0 goto delete
      if r7 == 1 goto update
      call 1
      if r0 == 0 goto out
      r1 = *(u64 *)(r0 + 0)
      r2 = *(u64 *)(r0 + 8)
      r3 = r6
      r3 ^= -1
      if r1 != r6 goto wrong
      if r2 != r3 goto wrong
      r4 = 1
      lock *(u64 *)(r0 + 16) += r4
      r0 = 1
      exit
wrong: r0 = 100
      exit
delete: call 3
      exit
update: r3 = r10
      r3 += -32
      call 2
out:  exit`;
}

interface Report {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly brokenPromises: number;
}

function keyOf(n: number, keySize: number): Uint8Array {
  return new Uint8Array(new Uint32Array(keySize === 4 ? [n] : [32, n]).buffer);
}

function valueFor(n: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(n), BigInt.asUintN(64, ~BigInt(n)), 0n]).buffer);
}

/** Whether an entry is whole: the value that belongs to the key. */
function isWhole({ key, value }: { key: Uint8Array; value: Uint8Array }): boolean {
  const n = new DataView(key.buffer).getUint32(key.length - 4, true);
  const words = new BigUint64Array(value.buffer);
  return words[0] === BigInt(n) && words[1] === BigInt.asUintN(64, ~BigInt(n));
}

test.each<[Partial<MapDefinition> & Pick<MapDefinition, 'kind'>, number, string[]]>([
  [{ kind: 'hash', maxEntries: 64 }, 64, ['wasm', 'wasm']],
  [{ kind: 'hash', maxEntries: 64 }, 100, ['wasm', 'interpreter']],
  [{ kind: 'lru-hash', maxEntries: 20 }, 100, ['wasm', 'wasm']],
  [{ kind: 'hash', maxEntries: 5000 }, 5000, ['wasm', 'wasm']],
  [{ kind: 'lpm-trie', keySize: 8, maxEntries: 2 }, 3, ['wasm', 'interpreter']],
])('%j under %i keys by threads of %j, with updates and dumps beside', async (shape, keys, engines) => {
  const definition: MapDefinition = { name: 'm', keySize: 4, valueSize: 24, maxEntries: 1, hashCount: 0, ...shape };
  const windowBits = 20;
  const memory = EbpfMemory.standalone({ windowBits, shared: true });
  const clock = EpochClock.create(memory, THREADS);
  const map = createMap(memory, clock, definition);
  const batches = runs(800);
  const reports: Promise<Report>[] = engines.map(async (engine, index) => {
    const worker = new Worker(new URL('../support/map-worker.mjs', import.meta.url), {
      workerData: {
        memory: memory.memory,
        windowBits,
        clockAddress: clock.address,
        mapAddress: map.address,
        threadAddress: EbpfThread.create(memory, index + 1).address,
        packet: memory.allocate(64, 'packet'),
        definition,
        keys,
        batches,
        engine,
        seed: index + 1,
        program: programFor(definition.keySize),
      },
    });
    const [report] = await once(worker, 'message');
    return report as Report;
  });
  let running = true;
  const finished = Promise.all(reports).finally(() => {
    running = false;
  });
  let torn = 0;
  let dumped = 0;
  for (let n = 0; running; n++) {
    // As the control plane does: now and then, not in the batches of any thread.
    for (let i = 0; i < 50; i++) {
      const number = (n * 50 + i * 7) % keys;
      const key = keyOf(number, definition.keySize);
      if (i % 3 === 0) map.update(key, valueFor(number));
      else if (i % 3 === 1) map.delete(key);
      else {
        const value = map.lookup(key);
        if (value !== undefined && !isWhole({ key, value })) torn++;
      }
    }
    for (let cursor: number | undefined = 0; cursor !== undefined; ) {
      const { entries, next } = map.entries(cursor, 100);
      torn += entries.filter((entry) => !isWhole(entry)).length;
      dumped += entries.length;
      cursor = next;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const all = await finished;
  expect(torn).toBe(0);
  expect(dumped).toBeGreaterThan(0);
  for (const report of all) {
    expect(report.brokenPromises).toBe(0);
    // 0, 1, ENOENT, and E2BIG or ENOMEM of a full table; never a value of another key.
    expect(Object.keys(report.outcomes).filter((result) => !['0', '1', '-2', '-7', '-12'].includes(result))).toEqual(
      [],
    );
    expect(report.outcomes['1']).toBeGreaterThan(0);
  }
  // What is left is consistent: each key once, as many as the map says, and all can be found.
  const left = new Set<string>();
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const { entries, next } = map.entries(cursor, 1000);
    for (const entry of entries) {
      expect(isWhole(entry)).toBe(true);
      expect(left.has(String(entry.key))).toBe(false);
      left.add(String(entry.key));
      expect(map.lookup(entry.key)).toEqual(entry.value);
    }
    cursor = next;
  }
  expect(map.count).toBe(left.size);
  expect(left.size).toBeLessThanOrEqual(definition.maxEntries);
});
