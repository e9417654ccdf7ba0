import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { requestOko } from '../../src/cli/ofctl/oko-client.ts';
import { ManualClock } from '../../src/datapath/index.ts';
import { FilterPrograms } from '../../src/ofproto/index.ts';
import { mapContents } from '../../src/ofproto/programs/map-access.ts';
import { encodeOko, entriesOf, type OkoMessage } from '../../src/openflow/index.ts';
import { countingObject } from '../support/filter-object.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const COUNT = process.env.OKO_LONG === '1' ? 1_000_000 : 100_000;
const PER_MESSAGE = 5000;
const PACKET = new Uint8Array(60);

let sw: ProgramSwitch | undefined;
afterEach(async () => {
  await sw?.close();
  sw = undefined;
});

/** Messages that set the keys 0 to count - 1 to themselves. */
function* updates(count: number): Generator<OkoMessage> {
  for (let first = 0; first < count; first += PER_MESSAGE) {
    const part = Math.min(PER_MESSAGE, count - first);
    const words = new Uint32Array(2 * part);
    for (let i = 0; i < part; i++) words.fill(first + i, 2 * i, 2 * i + 2);
    const head = { kind: 'map_update', program: 1, map: 'table', mode: 'any' } as const;
    yield encodeOko({ ...head, keySize: 4, valueSize: 4, count: part, entries: new Uint8Array(words.buffer) });
  }
}

describe('maps with very many entries', () => {
  it('are filled and dumped whole, in parts, while packets come in and the reader takes its time', async () => {
    const started = await ProgramSwitch.start({ programs: new FilterPrograms({ windowBits: 27 }) });
    sw = started;
    const table = { name: 'table', kind: 'hash', keySize: 4, valueSize: 4, maxEntries: COUNT };
    writeFileSync(join(started.folder, 'count.o'), countingObject(1, [table]));
    expect((await started.ofctl('load-filter-prog', 'SW', '1', join(started.folder, 'count.o'))).err).toBe('');
    expect((await started.ofctl('add-flow', 'SW', 'filter_prog=1,actions=drop')).err).toBe('');
    const client = await started.connect();
    await client.perform([...updates(COUNT)]);
    expect(started.bridge.programs.map(1, 'table').count).toBe(COUNT);

    const seen = new Uint8Array(COUNT);
    let packets = 0;
    let messages = 0;
    for await (const part of requestOko(client, { kind: 'map_dump', program: 1, map: 'table' }, 'map_contents')) {
      expect(part.total).toBe(BigInt(COUNT));
      for (const [key, value] of entriesOf(part)) {
        const number = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
        if (value.every((byte, i) => byte === key[i])) seen[number]++;
      }
      messages++;
      for (let i = 0; i < 5; i++, packets++) started.bridge.receive(1, PACKET);
    }
    expect(messages).toBeGreaterThan((8 * COUNT) / 65_536);
    expect(seen.every((times) => times === 1)).toBe(true);
    expect(started.bridge.programs.get(1).runs).toBe(packets);

    client.close();
  });

  it('a dump of a map that goes away in the middle is refused, not read from what is there now', async () => {
    const programs = new FilterPrograms({ windowBits: 24 });
    const table = { name: 'table', kind: 'array', keySize: 4, valueSize: 4, maxEntries: 5000 };
    await programs.loadObject({ id: 1, name: '', object: countingObject(1, [table]) }, new ManualClock());
    const steps = mapContents(programs, programs.map(1, 'table'));
    expect(steps.next().value).toHaveLength(1024);
    programs.unload(1);
    expect(() => steps.next()).toThrow(/map table went away/);
  });
});
