import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { performInBundle } from '../../src/cli/ofctl/bundle.ts';
import type { OpenflowClient } from '../../src/cli/ofctl/client.ts';
import { encodeOko, type MessageBody, type OkoBody, parseFlow } from '../../src/openflow/index.ts';
import { OPENFLOW_VERSIONS } from '../../src/packet/index.ts';
import { countingObject } from '../support/filter-object.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const TABLE = { name: 'table', kind: 'hash', keySize: 1, valueSize: 1, maxEntries: 2 };

describe.each(['of13', 'of14', 'of15'] as const)('maps in bundles, in %s', (version) => {
  let sw: ProgramSwitch;
  let client: OpenflowClient;
  beforeEach(async () => {
    sw = await ProgramSwitch.start();
    writeFileSync(join(sw.folder, 'a.o'), countingObject(1, [TABLE]));
    await sw.ofctl('load-filter-prog', 'SW', '1', join(sw.folder, 'a.o'));
    client = await sw.connect(OPENFLOW_VERSIONS[version]);
  });
  afterEach(async () => {
    client.close();
    await sw.close();
  });

  const update = (...entries: readonly number[]): OkoBody => ({
    kind: 'map_update',
    ...{ program: 1, map: 'table', mode: 'any', keySize: 1, valueSize: 1, count: entries.length / 2 },
    entries: Uint8Array.from(entries),
  });
  const flow = (text: string): MessageBody => ({ type: 'flow_mod', ...parseFlow(text) });
  const commit = (...messages: readonly MessageBody[]): Promise<void> =>
    performInBundle({ client, version: client.dialect.version, options: {}, out: () => {} }, messages);
  const held = (): number => sw.bridge.programs.map(1, 'table').count;

  it('are updated together with flows, or nothing is', async () => {
    await commit(flow('filter_prog=1,actions=drop'), encodeOko(update(1, 10)), encodeOko(update(2, 20)));
    expect([held(), sw.bridge.flows().length]).toEqual([2, 1]);
    await expect(
      commit(flow('actions=drop'), encodeOko(update(1, 11)), encodeOko(update(3, 30))),
    ).rejects.toMatchObject({
      code: 'OKO_MAP_FULL',
    });
    await expect(commit(encodeOko(update(1, 11)), flow('filter_prog=2,actions=drop'))).rejects.toMatchObject({
      code: 'OKO_NO_SUCH_PROGRAM',
    });
    expect(sw.bridge.programs.map(1, 'table').lookup(Uint8Array.of(1))).toEqual(Uint8Array.of(10));
    expect([held(), sw.bridge.flows().length]).toEqual([2, 1]);
  });

  it('updates that fit each alone, but not together, are refused', async () => {
    await expect(commit(encodeOko(update(1, 1, 2, 2)), encodeOko(update(3, 3)))).rejects.toMatchObject({
      code: 'OKO_MAP_FULL',
    });
    expect(held()).toBe(0);
    // Keys that are there, or that come twice, take no room.
    await commit(encodeOko(update(1, 1)), encodeOko(update(1, 2)), encodeOko(update(2, 2)));
    await commit(encodeOko(update(1, 3)), encodeOko(update(2, 3)), encodeOko(update(1, 4)));
    expect(sw.bridge.programs.map(1, 'table').lookup(Uint8Array.of(1))).toEqual(Uint8Array.of(4));
  });

  it('other messages of the extension are refused when they are added', async () => {
    await expect(commit(encodeOko({ kind: 'prog_unload', program: 1, force: false }))).rejects.toMatchObject({
      message: expect.stringContaining('OFPBFC_MSG_UNSUP'),
    });
    expect(sw.bridge.programs.has(1)).toBe(true);
  });
});
