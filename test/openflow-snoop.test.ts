import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parseFlow } from '../src/openflow/index.ts';
import { stop } from './support/namespaces.ts';
import { OpenflowSwitch } from './support/openflow-switch.ts';

const missing = ['/usr/bin/ovs-ofctl', '/usr/bin/ovs-testcontroller'].find((path) => !existsSync(path));
const children: ChildProcess[] = [];
let ours: OpenflowSwitch | undefined;

afterEach(async () => {
  for (const child of children.splice(0).reverse()) await stop(child);
  await ours?.close();
});

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

it.skipIf(missing !== undefined)(
  `ovs-ofctl snoop prints what is exchanged with a controller (${missing === undefined ? 'is here' : `needs ${missing}`})`,
  async () => {
    ours = new OpenflowSwitch();
    const { folder, controllers, bridge } = ours;
    const start = (command: string, ...args: readonly string[]): { text: string } => {
      const child = spawn(command, args, { env: { ...process.env, OVS_RUNDIR: folder }, stdio: 'pipe' });
      const output = { text: '' };
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk) => {
          output.text += chunk;
        });
      children.push(child);
      return output;
    };
    const socket = join(folder, 'controller');
    start('ovs-testcontroller', `--unixctl=${join(folder, 'ctl')}`, '-O', 'OpenFlow13', `punix:${socket}`);
    await until(() => existsSync(socket));
    await controllers.add(`punix:${join(folder, 'br0.snoop')}`, { kind: 'snoop' });
    await controllers.add(`unix:${socket}`);
    await until(() => controllers.status().some(({ isConnected }) => isConnected));
    const snooped = start('ovs-ofctl', 'snoop', 'br0');
    // It says nothing when it is there: packets come until one has been seen.
    for (let i = 0; i < 3000 && !snooped.text.includes('OFPT_PACKET_IN'); i++) {
      bridge.receive(
        1,
        Uint8Array.from([...new Array(6).fill(0xff), 2, 0, 0, 0, 0, 1, 8, 6, ...new Array(46).fill(0)]),
      );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await until(() => /OFPT_PACKET_OUT|OFPT_FLOW_MOD/.test(snooped.text));
    bridge.flowMod(parseFlow('send_flow_rem,in_port=7,actions=drop', 'add'));
    bridge.flowMod(parseFlow('in_port=7', 'delete'));
    await until(() => snooped.text.includes('OFPT_FLOW_REMOVED (OF1.3)'));
    expect(snooped.text).toMatch(/OFPT_PACKET_IN \(OF1\.3\)/);
    expect(snooped.text).not.toContain('***');
  },
);
