import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenflowClient } from '../../src/cli/ofctl/client.ts';
import { performOko } from '../../src/cli/ofctl/oko-client.ts';
import type { MapContents, MapSubscribe } from '../../src/openflow/index.ts';
import { countingObject } from '../support/filter-object.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const PACKET = new Uint8Array(60);
const HASH = { name: 'state', kind: 'hash', keySize: 1, valueSize: 1, maxEntries: 8 };

describe('maps that come by themselves', () => {
  let sw: ProgramSwitch;
  let client: OpenflowClient;
  beforeEach(async () => {
    sw = await ProgramSwitch.start();
    const file = join(sw.folder, 'count.o');
    writeFileSync(file, countingObject(1, [HASH]));
    await sw.ofctl('load-filter-prog', 'SW', '1', file);
    client = await sw.connect();
  });
  afterEach(async () => {
    client.close();
    await sw.close();
  });

  const update = (key: number, value: number) =>
    performOko(client, {
      kind: 'map_update',
      ...{ program: 1, map: 'state', mode: 'any', keySize: 1, valueSize: 1, count: 1 },
      entries: Uint8Array.of(key, value),
    });
  const subscribe = (request: Partial<MapSubscribe>) =>
    performOko(client, {
      ...{ kind: 'map_subscribe', program: 1, map: 'state', subscription: 7, periodMs: 1000, onlyChanges: false },
      ...request,
    });
  /** Lets so much time go by for the switch. */
  const wait = (ms: number): void => {
    sw.clock.advanceTo(sw.clock.nowNs() + BigInt(ms) * 1_000_000n);
    sw.controllers.run();
  };
  const shown = ({ entries, deleted, reason, subscription }: MapContents) => [
    ...(deleted ? ['deleted'] : []),
    `${reason} ${subscription}`,
    entries.join(' '),
  ];

  it('a subscription sends all of it each period, and ends when asked to', async () => {
    await update(1, 10);
    await subscribe({});
    sw.controllers.run();
    expect(shown(await client.receiveOko('map_contents'))).toEqual(['subscription 7', '1 10']);
    wait(500);
    wait(500);
    expect(shown(await client.receiveOko('map_contents'))).toEqual(['subscription 7', '1 10']);
    await subscribe({ periodMs: 0 });
    wait(5000);
    // What came would come before the answer to this.
    const xid = client.send({ type: 'barrier_request' });
    expect(await client.receive()).toMatchObject({ type: 'barrier_reply', xid });
    await expect(subscribe({ periodMs: 0 })).rejects.toMatchObject({ code: 'OKO_BAD_REQUEST' });
  });

  it('with only changes it sends what is new, what is other, and what is gone', async () => {
    await update(1, 10);
    await update(2, 20);
    await subscribe({ onlyChanges: true });
    sw.controllers.run();
    expect((await client.receiveOko('map_contents')).count).toBe(2);
    await update(2, 21);
    await update(3, 30);
    await performOko(client, {
      kind: 'map_delete',
      ...{ program: 1, map: 'state', all: false, keySize: 1, valueSize: 0, count: 1, entries: Uint8Array.of(1) },
    });
    wait(1000);
    const changed = await client.receiveOko('map_contents');
    expect([changed.count, changed.deleted]).toEqual([2, false]);
    expect(shown(await client.receiveOko('map_contents'))).toEqual(['deleted', 'subscription 7', '1']);
    wait(1000);
    await update(4, 40);
    wait(1000);
    expect(shown(await client.receiveOko('map_contents'))).toEqual(['subscription 7', '4 40']);
  });

  it('a subscription to a map that goes away ends with an error', async () => {
    await subscribe({});
    sw.controllers.run();
    await client.receiveOko('map_contents');
    await sw.ofctl('unload-filter-prog', 'SW', '1');
    wait(1000);
    await expect(client.receiveOko('map_contents')).rejects.toMatchObject({ code: 'OKO_NO_SUCH_PROGRAM' });
  });

  it.each([
    ['too short a period', { periodMs: 1 }, 'OKO_BAD_REQUEST'],
    ['a map that is not there', { map: 'none' }, 'OKO_NO_SUCH_MAP'],
    ['a program that is not there', { program: 2 }, 'OKO_NO_SUCH_PROGRAM'],
  ])('refuses %s', async (_what, request, code) => {
    await expect(subscribe(request)).rejects.toMatchObject({ code });
  });

  it('refuses more subscriptions than a connection may have', async () => {
    for (let subscription = 1; subscription <= 16; subscription++) await subscribe({ subscription });
    await expect(subscribe({ subscription: 17 })).rejects.toMatchObject({ code: 'OKO_TOO_MANY' });
  });

  it('the action sends maps to controllers that know of them, not too often, and counts what it did not send', async () => {
    await client.perform([{ type: 'set_config', flags: 0, missSendLen: 128 }]);
    const { err } = await sw.ofctl('add-flow', 'SW', 'filter_prog=1,actions=send_maps(1,1),output:2');
    expect(err).toBe('');
    expect((await sw.ofctl('--no-stats', 'dump-flows', 'SW')).out).toBe(
      ' filter_prog=1 actions=send_maps(1,1),output:2\n',
    );
    await update(5, 50);
    const times = 12;
    for (let i = 0; i < times; i++) sw.bridge.receive(1, PACKET);
    expect(shown(await client.receiveOko('map_contents'))).toEqual(['action 0', '5 50']);
    const { sent, suppressed } = sw.bridge.mapSending;
    expect([sent, suppressed]).toEqual([10, 2]);
    expect(sw.sent).toHaveLength(times);
    wait(1000);
    sw.bridge.receive(1, PACKET);
    expect(sw.bridge.mapSending.suppressed).toBe(2);
    const contents = await client.receiveOko('map_contents');
    expect(contents.name).toBe('state');
  });
});
