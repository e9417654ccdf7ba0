import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CompileWorker, FilterPrograms } from '../../src/ofproto/index.ts';
import { countingObject, filterObject, type ObjectMap } from '../support/filter-object.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const worker = new CompileWorker(new URL('../../dist/ofproto/programs/compile-thread.js', import.meta.url));
afterAll(() => worker.close());

const EXTRA: ObjectMap = { name: 'extra', kind: 'hash', keySize: 4, valueSize: 4, maxEntries: 8 };
const PACKET = new Uint8Array(60);
PACKET.set([0x08, 0x00], 12);

describe.each(['compile worker', 'same thread'])('replacing a program, compiled on the %s', (where) => {
  let sw: ProgramSwitch;
  beforeEach(async () => {
    sw = await ProgramSwitch.start(
      where === 'compile worker' ? { programs: new FilterPrograms({ compiler: worker, windowBits: 24 }) } : {},
    );
  });
  afterEach(() => sw.close());

  const file = (name: string, object: Uint8Array): string => {
    const path = join(sw.folder, name);
    writeFileSync(path, object);
    return path;
  };
  const ok = async (...words: readonly string[]): Promise<string> => {
    const { status, err, out } = await sw.ofctl(...words);
    expect(err).toBe('');
    expect(status).toBe(0);
    return out;
  };
  const sequence = (program = 1): bigint => {
    const value = sw.bridge.programs.map(program, 'sequence').lookup(new Uint8Array(4));
    if (value === undefined) throw new Error('an array has no element 0');
    return new DataView(value.buffer).getBigUint64(0, true);
  };

  it('goes on counting where the old one was, packet for packet, while packets come in', async () => {
    await ok('load-filter-prog', 'SW', '1', file('one.o', countingObject(1)));
    await ok('add-flow', 'SW', 'filter_prog=1,in_port=1,actions=output:2');
    let packets = 0;
    let isOver = false;
    const traffic = (async () => {
      while (!isOver) {
        const [before, outputs] = [sequence(), sw.sent.length];
        sw.bridge.receive(1, PACKET);
        packets++;
        // One program or the other, never none and never both.
        expect([1n, 1000n]).toContain(sequence() - before);
        expect(sw.sent.length).toBe(outputs + 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const thousand = file('thousand.o', countingObject(1000));
    for (let i = 0; i < 3; i++) {
      await ok('load-filter-prog', 'SW', '1', thousand, '--replace');
      await ok('load-filter-prog', 'SW', '1', join(sw.folder, 'one.o'), '--keep-maps');
    }
    const before = sequence();
    await ok('load-filter-prog', 'SW', '1', thousand, '--replace');
    while (sequence() < before + 1000n) await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    await traffic;
    const { runs, matches, failures } = sw.bridge.programs.get(1);
    expect({ runs, matches, failures }).toEqual({ runs: packets, matches: packets, failures: 0 });
    expect(await ok('dump-flows', 'SW')).toContain(`n_packets=${packets},`);
  });

  it('starts with new maps when told to, and where they are declared otherwise', async () => {
    await ok('load-filter-prog', 'SW', '1', file('a.o', countingObject(1, [EXTRA])));
    await ok('add-flow', 'SW', 'filter_prog=1,actions=drop');
    await ok('update-map', 'SW', '1', 'extra', 'key', '1', '2', '3', '4', 'value', '5', '6', '7', '8');
    sw.bridge.receive(1, PACKET);
    const larger = file('b.o', countingObject(1, [{ ...EXTRA, maxEntries: 16 }]));
    const refused = await sw.ofctl('load-filter-prog', 'SW', '1', larger, '--keep-maps');
    expect(refused.status).toBe(1);
    expect(refused.err).toBe(
      'oko: map extra would be lost: it is hash, keys of 4, values of 4 bytes, 8 entries, ' +
        'in the new program hash, keys of 4, values of 4 bytes, 16 entries (OKO_MAPS_DO_NOT_FIT)\n',
    );
    expect(sequence()).toBe(1n);
    expect(sw.bridge.programs.map(1, 'extra').count).toBe(1);
    const loaded = JSON.parse(await ok('load-filter-prog', 'SW', '1', larger, '--replace', '--json')) as object;
    expect(loaded).toMatchObject({ replaced: true, keptMaps: 1, name: 'b', flows: 1 });
    expect(sequence()).toBe(1n);
    expect(sw.bridge.programs.map(1, 'extra').count).toBe(0);
    await ok('load-filter-prog', 'SW', '1', larger, '--fresh-maps');
    expect(sequence()).toBe(0n);
  });

  it('a refused program leaves the old one, its maps and its memory as they were', async () => {
    await ok('load-filter-prog', 'SW', '1', file('a.o', countingObject(1)));
    await ok('add-flow', 'SW', 'filter_prog=1,actions=output:2');
    const bytes = sw.bridge.programs.mapBytes;
    const wild = filterObject([EXTRA], 'r0 = *(u8 *)(r1 + 0)\nexit');
    const tooLarge = countingObject(1, [
      { name: 'huge', kind: 'array', keySize: 4, valueSize: 1 << 20, maxEntries: 900 },
    ]);
    for (const [object, code] of [
      [wild, 'OKO_REJECTED'],
      [new TextEncoder().encode('not an object'), 'OKO_BAD_OBJECT'],
      [tooLarge, 'OKO_NO_MEMORY'],
    ] as const) {
      const { status, err } = await sw.ofctl('load-filter-prog', 'SW', '1', file('bad.o', object), '--replace');
      expect(status).toBe(1);
      expect(err).toContain(`(${code})`);
    }
    sw.bridge.receive(1, PACKET);
    expect(sequence()).toBe(1n);
    expect(sw.sent).toHaveLength(1);
    expect(sw.bridge.programs.mapBytes).toBe(bytes);
  });

  it('is not unloaded while flows use it, unless by force, and then matches nothing', async () => {
    await ok('load-filter-prog', 'SW', '1', file('a.o', countingObject(1)));
    for (const port of [1, 2])
      await ok('add-flow', 'SW', `table=${port},priority=7,filter_prog=1,in_port=${port},actions=drop`);
    await ok('add-flow', 'SW', 'filter_prog=1,actions=output:2');
    const { status, err } = await sw.ofctl('unload-filter-prog', 'SW', '1');
    expect(status).toBe(1);
    expect(err).toBe(
      'oko: filter program 1 (a) is used by 3 flows: table=1,priority=7,filter_prog=1,in_port=1; ' +
        'table=2,priority=7,filter_prog=1,in_port=2; table=0,filter_prog=1 (OKO_IN_USE)\n',
    );
    sw.bridge.receive(1, PACKET);
    expect(sw.sent).toHaveLength(1);
    await ok('unload-filter-prog', 'SW', '1', '--force');
    sw.bridge.receive(1, PACKET);
    expect(sw.sent).toHaveLength(1);
    expect(sw.bridge.programs.mapBytes).toBe(0);
    await ok('load-filter-prog', 'SW', '1', file('a.o', countingObject(1)));
    sw.bridge.receive(1, PACKET);
    expect(sw.sent).toHaveLength(2);
    await ok('del-flows', 'SW', 'filter_prog=1');
    await ok('unload-filter-prog', 'SW', '1');
  });

  it('takes an object in hundreds of parts', async () => {
    const object = countingObject(1, [], 15 << 20);
    await ok('load-filter-prog', 'SW', '65535', file('large.o', object));
    expect(sw.bridge.programs.get(65535)).toMatchObject({ objectBytes: object.length, name: 'large' });
  });
});
