import { type ChildProcess, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespacesMissing } from './support/namespaces.ts';
import { SwitchedHosts, startUntil } from './support/switched-hosts.ts';

/* `oko bridge` with packet threads between two hosts: what arrives, what is counted, and that nothing is left behind. */

const BYTES = 4_000_000;
const SERVER = `
const { createHash } = require('node:crypto');
require('node:net').createServer((connection) => {
  const hash = createHash('sha256');
  connection.on('data', (data) => hash.update(data)).on('end', () => {
    console.log('received', hash.digest('hex'));
    process.exit();
  });
}).listen(5555, () => console.log('listening'));`;
const CLIENT = `
require('node:net').connect(5555, '10.8.0.2').end(Buffer.from(Array.from({ length: ${BYTES} }, (_, i) => i % 251)));`;

const missing = namespacesMissing();

describe.skipIf(missing !== undefined)(`packet threads (${missing ?? 'namespaces are here'})`, () => {
  let hosts: SwitchedHosts;
  let bridge: ChildProcess;
  const socket = (): string => join(hosts.folder, 'br0.mgmt');
  const ofctl = (...args: string[]): string =>
    spawnSync('ovs-ofctl', args, { encoding: 'utf8', timeout: 20_000 }).stdout;

  beforeAll(async () => {
    hosts = new SwitchedHosts('pt');
    const ports = hosts.devices.flatMap((device, i) => ['--port', `${i + 1}=${device}`]);
    const args = ['dist/cli/main.js', 'bridge', 'br0', '--threads', '1', ...ports, '--rundir', hosts.folder];
    bridge = await startUntil(process.execPath, args, /is running/);
  });

  afterAll(() => {
    bridge?.kill('SIGKILL');
    hosts?.close();
  });

  it('answers pings, and counts them in flows and ports', () => {
    ofctl('add-flow', socket(), 'priority=9,icmp,actions=NORMAL');
    expect(hosts.ping(5)).toBe(5);
    expect(ofctl('dump-flows', socket(), 'icmp')).toMatch(/n_packets=10,/);
    expect(ofctl('dump-ports', socket(), '1')).toMatch(/rx pkts=[1-9]/);
  });

  it('handles no packet by older tables once a barrier is answered', () => {
    // mod-flows ends with a barrier.
    ofctl('add-flow', socket(), 'priority=10,icmp,actions=drop');
    expect(hosts.ping(2)).toBe(0);
    ofctl('--strict', 'del-flows', socket(), 'priority=10,icmp');
    expect(hosts.ping(2)).toBe(2);
  });

  it('carries TCP with large segments, byte for byte', async () => {
    const server = await startUntil('ip', ['netns', 'exec', hosts.right, process.execPath, '-e', SERVER], /listening/);
    const received = new Promise<string>((resolve) => {
      server.stdout?.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    spawnSync('ip', ['netns', 'exec', hosts.left, process.execPath, '-e', CLIENT], { timeout: 30_000 });
    const sum = spawnSync('sha256sum', {
      input: Buffer.from(Array.from({ length: BYTES }, (_, i) => i % 251)),
      encoding: 'utf8',
    }).stdout.slice(0, 64);
    expect(await received).toContain(sum);
  });

  it('sleeps when there is nothing to do, and stops with everything closed', async () => {
    const descriptors = (): number => readdirSync(`/proc/${bridge.pid}/fd`).length;
    expect(descriptors()).toBeGreaterThan(0);
    const ended = new Promise((resolve) => bridge.once('exit', resolve));
    bridge.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
