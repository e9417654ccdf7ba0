import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenflowClient } from '../../src/cli/ofctl/client.ts';
import { OPENFLOW_VERSIONS } from '../../src/packet/index.ts';
import { countingObject } from '../support/filter-object.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const run = promisify(execFile);
const hasOfctl = existsSync('/usr/bin/ovs-ofctl');

describe('filter_prog as a part of what a flow is', () => {
  let sw: ProgramSwitch;
  const clients: OpenflowClient[] = [];
  const file = (name: string): string => join(sw.folder, name);
  beforeEach(async () => {
    sw = await ProgramSwitch.start();
    writeFileSync(file('count.o'), countingObject(1));
    for (const id of ['1', '2']) await ok('load-filter-prog', 'SW', id, file('count.o'));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await sw.close();
    process.exitCode = undefined;
  });

  const ok = async (...words: readonly string[]): Promise<string> => {
    const { status, out, err } = await sw.ofctl(...words);
    expect(err).toBe('');
    expect(status).toBe(0);
    return out;
  };
  const flows = async (...words: readonly string[]): Promise<string[]> =>
    (await ok('--no-stats', 'dump-flows', 'SW', ...words))
      .trimEnd()
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
      .sort();
  const three = async (): Promise<void> => {
    for (const match of ['', 'filter_prog=1,', 'filter_prog=2,'])
      await ok('add-flow', 'SW', `priority=3,${match}ip,actions=drop`);
  };
  const ALL = [
    'priority=3,filter_prog=1,ip actions=drop',
    'priority=3,filter_prog=2,ip actions=drop',
    'priority=3,ip actions=drop',
  ];

  it('flows that differ in it only stand side by side, and a listing can ask for one', async () => {
    await three();
    expect(await flows()).toEqual(ALL);
    expect(await flows('filter_prog=2')).toEqual([ALL[1]]);
    expect(await flows('ip')).toEqual(ALL);
    expect(await ok('dump-aggregate', 'SW', 'filter_prog=1')).toContain('flow_count=1');
    expect(await ok('dump-aggregate', 'SW', 'ip')).toContain('flow_count=3');
  });

  it('loose and strict changes take it like any field', async () => {
    await three();
    await ok('mod-flows', 'SW', 'filter_prog=2,actions=output:2');
    expect(await flows('filter_prog=2')).toEqual(['priority=3,filter_prog=2,ip actions=output:2']);
    await ok('--strict', 'mod-flows', 'SW', 'priority=3,ip,actions=output:1');
    expect(await flows()).toEqual([
      'priority=3,filter_prog=1,ip actions=drop',
      'priority=3,filter_prog=2,ip actions=output:2',
      'priority=3,ip actions=output:1',
    ]);
    await ok('--strict', 'del-flows', 'SW', 'priority=3,ip');
    expect(await flows()).toHaveLength(2);
    await ok('del-flows', 'SW', 'ip');
    expect(await flows()).toEqual([]);
  });

  it('overlap is judged by the match as it stands: a field left open overlaps, two values exclude each other', async () => {
    await ok('add-flow', 'SW', 'priority=3,filter_prog=1,ip,actions=drop');
    const overlapping = await sw.ofctl('add-flow', 'SW', 'check_overlap,priority=3,ip,nw_dst=10.0.0.1,actions=drop');
    expect(overlapping.err).toContain('OFPFMFC_OVERLAP');
    // Though both programs may match one packet: a controller that names both wants to ask both.
    await ok('add-flow', 'SW', 'check_overlap,priority=3,filter_prog=2,ip,nw_dst=10.0.0.2,actions=drop');
    await ok('add-flow', 'SW', 'check_overlap,priority=3,arp,actions=drop');
  });

  it.each(Object.entries(OPENFLOW_VERSIONS).filter(([name]) => ['of10', 'of13', 'of14', 'of15'].includes(name)))(
    'flow_removed has it, in %s',
    async (_name, version) => {
      const client = await sw.connect(version);
      clients.push(client);
      if (version === OPENFLOW_VERSIONS.of10) {
        await client.perform([{ type: 'nx_set_flow_format', nxm: true }]);
        client.dialect = { ...client.dialect, nxm: true };
      }
      await client.perform([{ type: 'set_config', flags: 0, missSendLen: 100 }]);
      await ok('add-flow', 'SW', 'send_flow_rem,priority=3,filter_prog=2,ip,actions=drop');
      await ok('del-flows', 'SW');
      const removed = await client.receive();
      expect(removed.type).toBe('flow_removed');
      if (removed.type === 'flow_removed')
        expect([...removed.match.fields()].map((part) => [part.field.name, part.value.at(-1)])).toContainEqual([
          'filter_prog',
          2,
        ]);
    },
  );

  it('replace-flows and diff-flows tell such flows apart', async () => {
    await three();
    const wanted = [
      'priority=3,filter_prog=2,ip,actions=output:2',
      'priority=3,ip,actions=drop',
      'table=1,filter_prog=1,actions=drop',
    ];
    writeFileSync(file('wanted'), `${wanted.join('\n')}\n`);
    const { out, status } = await sw.ofctl('diff-flows', 'SW', file('wanted'));
    expect(out.trimEnd().split('\n')).toEqual([
      '-priority=3,filter_prog=1,ip actions=drop',
      '-priority=3,filter_prog=2,ip actions=drop',
      '+priority=3,filter_prog=2,ip actions=output:2',
      '+table=1 filter_prog=1 actions=drop',
    ]);
    expect(status).toBe(2);
    process.exitCode = undefined;
    const [kept] = sw.bridge.flows().filter(({ program }) => program === undefined);
    await ok('replace-flows', 'SW', file('wanted'));
    expect(await ok('diff-flows', 'SW', file('wanted'))).toBe('');
    // What is right already is left alone.
    expect(sw.bridge.flows()).toContain(kept);
    await ok('--bundle', 'replace-flows', 'SW', file('wanted'), '--readd');
    expect(sw.bridge.flows()).not.toContain(kept);
    expect(await flows()).toHaveLength(3);
    writeFileSync(file('unloaded'), 'filter_prog=9,actions=drop\n');
    expect((await sw.ofctl('--bundle', 'replace-flows', 'SW', file('unloaded'))).err).toContain('OKO_NO_SUCH_PROGRAM');
    expect(await flows()).toHaveLength(3);
  });

  it.skipIf(!hasOfctl)('diff-flows of files prints what Debian’s prints, in some order (needs ovs-ofctl)', async () => {
    const before = [
      'ip,nw_dst=10.0.0.1,actions=output:1',
      'table=1,priority=5,tcp,tp_dst=80,cookie=0x5,idle_timeout=7,actions=drop',
      'in_port=3,actions=NORMAL',
      'priority=0,actions=resubmit(,1)',
    ];
    const after = [
      'ip,nw_dst=10.0.0.1,actions=output:2',
      'in_port=3,actions=NORMAL',
      'priority=9,arp,hard_timeout=3,send_flow_rem,actions=flood',
      'priority=0,cookie=3,actions=resubmit(,1)',
    ];
    writeFileSync(file('before'), `${before.join('\n')}\n`);
    writeFileSync(file('after'), `${after.join('\n')}\n`);
    const sorted = (text: string): string[] => text.trimEnd().split('\n').sort();
    const ours = await sw.ofctl('diff-flows', file('before'), file('after'));
    const theirs = await run('/usr/bin/ovs-ofctl', ['diff-flows', file('before'), file('after')]).catch(
      (error: { stdout: string; code: number }) => error,
    );
    expect(sorted(ours.out)).toEqual(sorted(theirs.stdout));
    expect(ours.status).toBe('code' in theirs ? theirs.code : 0);
  });
});
