import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mutated } from '../../../test/support/mutation.ts';
import { wellFormedPacket } from '../../../test/support/packet-arbitrary.ts';
import { runs } from '../../../test/support/property-runs.ts';
import { toHex } from '../../bytes/index.ts';
import { readCaptureFile } from '../../packet/capture-file.ts';
import { extractKey, KEY, KEY_BYTES, newKey } from '../../packet/index.ts';
import * as layout from '../layout.ts';
import { coreModule, instantiateCore } from './core-module.ts';
import { DatapathMemory, DEFAULT_LIMITS } from './memory.ts';
import { ThreadMemory, threadBytes } from './thread-memory.ts';

const limits = { ...DEFAULT_LIMITS, windowBits: 22, smallBuffers: 64, largeBuffers: 4, cacheBytes: 1 << 20 };
const memory = new DatapathMemory(limits, 1, threadBytes(limits));
const thread = new ThreadMemory(memory, 0, true, 0);
const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
const nothing = (): number => 0;
const core = instantiateCore(coreModule(), memory.memory, table, {
  ...{ ask: nothing, translate: nothing, toMain: nothing, send: nothing, flush: nothing },
});
core.start(thread.config);

const key = newKey();

/** The packet lies right at the end of the memory, so that an access beyond it traps. */
function expectSame(packet: Uint8Array): void {
  const at = memory.bytes.length - packet.length;
  memory.bytes.set(packet, at);
  memory.bytes.fill(0xee, thread.keys + KEY.ethDst, thread.keys + layout.KEY_PACKET_END);
  core.extract(at, packet.length, thread.keys);
  extractKey(packet, key);
  for (let i = 0; i < KEY_BYTES; i++) {
    if (key[i] === memory.bytes[thread.keys + i]) continue;
    expect(toHex(memory.bytes.slice(thread.keys, thread.keys + KEY_BYTES))).toBe(toHex(key));
  }
}

it('has the places of the flow key that the packet room has', () => {
  const places = Object.entries(layout).filter(([name]) => name.startsWith('KEY_'));
  const names: Record<string, number> = { ...KEY };
  const camel = (name: string): string =>
    name
      .slice(4)
      .toLowerCase()
      .replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const known = places.filter(([name]) => camel(name) in names);
  expect(known.length).toBeGreaterThan(25);
  for (const [name, offset] of known) expect([name, offset]).toEqual([name, names[camel(name)]]);
});

it('extracts the same key from every well-formed packet', () => {
  fc.assert(fc.property(wellFormedPacket, expectSame), { numRuns: runs(5000) });
});

const captures = new URL('../../../examples/captures/', import.meta.url);
const seeds = readdirSync(captures)
  .filter((name) => /\.pcap(ng)?$/.test(name))
  .flatMap((name) => [...readCaptureFile(new URL(name, captures).pathname)].slice(0, 60).map(({ bytes }) => bytes));

it('extracts the same key from damaged packets of captures', () => {
  expect(seeds.length).toBeGreaterThan(20);
  fc.assert(fc.property(mutated(seeds), expectSame), { numRuns: runs(5000) });
});
