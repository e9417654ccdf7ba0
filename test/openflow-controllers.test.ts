import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { namespacesMissing, stop } from './support/namespaces.ts';
import { OKO_MAIN } from './support/oko.ts';
import { SwitchedHosts, startUntil } from './support/switched-hosts.ts';

const missing = namespacesMissing() ?? (existsSync('/usr/bin/ovs-ofctl') ? undefined : 'needs openvswitch-common');
const PYTHON = '/usr/bin/python3';
const hasOsken = spawnSync(PYTHON, ['-c', 'import os_ken']).status === 0;
const hasTestcontroller = existsSync('/usr/bin/ovs-testcontroller');

const RECEIVE = `
import socket, sys
listener = socket.create_server(('10.8.0.2', 7000))
print('ready', flush=True)
peer, _ = listener.accept()
with open(sys.argv[1], 'wb') as file:
    while chunk := peer.recv(65536):
        file.write(chunk)
`;
const SEND = `
import socket, sys
with socket.create_connection(('10.8.0.2', 7000), timeout=10) as peer:
    peer.sendall(open(sys.argv[1], 'rb').read())
`;

describe.skipIf(missing !== undefined)(`oko bridge between two hosts (${missing ?? 'namespaces are here'})`, () => {
  let hosts: SwitchedHosts;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    hosts = new SwitchedHosts('sw');
  });
  afterEach(async () => {
    for (const child of children.splice(0).reverse()) await stop(child);
    hosts.close();
  });

  const start = async (command: string, args: readonly string[], ready: RegExp): Promise<ChildProcess> => {
    const child = await startUntil(command, args, ready);
    children.push(child);
    return child;
  };
  const bridge = (args: readonly string[]): Promise<ChildProcess> =>
    start(
      process.execPath,
      [
        OKO_MAIN,
        'bridge',
        'br0',
        ...hosts.devices.flatMap((device, i) => ['--port', `${i + 1}=${device}`]),
        ...['--rundir', hosts.folder, ...args],
      ],
      /is running/,
    );
  const ofctl = (...args: readonly string[]): string => {
    const words = args.map((arg) => (arg === 'SWITCH' ? `unix:${join(hosts.folder, 'br0.mgmt')}` : arg));
    const { stdout, stderr, status } = spawnSync('ovs-ofctl', words, { encoding: 'utf8', timeout: 20_000 });
    if (status !== 0) throw new Error(`ovs-ofctl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  it('switches by itself when no controller is configured: ping, and TCP with what was sent', async () => {
    await bridge([]);
    expect(hosts.ping(3)).toBe(3);
    const [sent, received] = ['sent', 'received'].map((name) => join(hosts.folder, name));
    writeFileSync(sent, randomBytes(1_000_000));
    const receiver = await start('ip', ['netns', 'exec', hosts.right, PYTHON, '-c', RECEIVE, received], /ready/);
    const ended = new Promise((resolve) => receiver.once('exit', resolve));
    spawnSync('ip', ['netns', 'exec', hosts.left, PYTHON, '-c', SEND, sent], { timeout: 20_000 });
    await ended;
    expect(readFileSync(received).equals(readFileSync(sent))).toBe(true);
    expect(ofctl('dump-flows', '--no-stats', 'SWITCH').trim()).toBe('priority=0 actions=NORMAL');
  });

  it('drops everything in secure mode until a flow says otherwise', async () => {
    await bridge(['--fail-mode', 'secure']);
    expect(hosts.ping(1)).toBe(0);
    ofctl('add-flow', 'SWITCH', 'actions=NORMAL');
    // The first host may still be waiting for its address request of before to run out.
    await waitFor(() => hosts.ping(1) === 1);
    expect(hosts.ping(2)).toBe(2);
  });

  it('has a port on a tap device of the host’s, which is gone with the bridge', async () => {
    const tap = `otap${process.pid % 100_000}`;
    const child = await bridge(['--port', `3=${tap}:tap`]);
    spawnSync('ip', ['address', 'add', '10.8.0.3/24', 'dev', tap]);
    spawnSync('ip', ['link', 'set', tap, 'up']);
    const { stdout } = spawnSync('ping', ['-c', '2', '-i', '0.1', '-W', '2', '10.8.0.1'], { encoding: 'utf8' });
    expect(stdout).toContain('2 received');
    expect(ofctl('show', 'SWITCH')).toContain(`3(${tap})`);
    await stop(child, 'SIGTERM');
    expect(child.exitCode).toBe(0);
    expect(existsSync(`/sys/class/net/${tap}`)).toBe(false);
    expect(existsSync(join(hosts.folder, 'br0.mgmt'))).toBe(false);
  });

  it.skipIf(!hasTestcontroller)('is driven by ovs-testcontroller, in OpenFlow 1.0 and 1.3', async () => {
    for (const version of ['OpenFlow10', 'OpenFlow13']) {
      const socket = join(hosts.folder, `${version}.sock`);
      const args = [`--unixctl=${socket}.ctl`, '-O', version, `punix:${socket}`];
      children.push(spawn('ovs-testcontroller', args, { stdio: 'ignore' }));
      await waitFor(() => existsSync(socket));
      const child = await bridge(['--controller', `unix:${socket}`, '--fail-mode', 'secure']);
      await waitFor(() => hosts.ping(1) === 1);
      expect(hosts.ping(3)).toBe(3);
      expect(ofctl('dump-flows', 'SWITCH')).toContain('actions=output:');
      await stop(child);
    }
  });

  it.skipIf(!hasOsken).each(['1.3', '1.4', '1.5'])(
    'is driven by a learning switch on os-ken, in OpenFlow %s',
    async (version) => {
      const port = 20_000 + (process.pid % 20_000) + Number(version.slice(2));
      const run = `import os; os.environ["OFP_VERSION"] = "${version}"; from os_ken.cmd.manager import main; main()`;
      const app = 'test/peers/simple_switch_13.py';
      const args = ['-c', run, '--ofp-listen-host', '127.0.0.1', '--ofp-tcp-listen-port', `${port}`, app];
      const child = await bridge([
        '--controller',
        `tcp:127.0.0.1:${port}`,
        '--fail-mode',
        'secure',
        '--datapath-id',
        '2a',
      ]);
      await start(PYTHON, args, /switch 000000000000002a/);
      await waitFor(() => hosts.ping(1) === 1);
      expect(hosts.ping(3)).toBe(3);
      const flows = ofctl('-O', `OpenFlow${version.replace('.', '')}`, 'dump-flows', '--no-stats', 'SWITCH');
      expect(flows).toContain('priority=0 actions=CONTROLLER:65535');
      expect(flows.match(/priority=1,in_port=.*actions=output:/g)?.length).toBeGreaterThanOrEqual(2);
      await stop(child);
    },
  );
});

async function waitFor(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 10 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
}
