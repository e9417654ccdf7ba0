import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WallClock } from '../../src/datapath/index.ts';
import { Bridge, Controllers, type FailMode } from '../../src/ofproto/index.ts';
import { OFPP } from '../../src/openflow/index.ts';
import type { OpenflowVersion } from '../../src/packet/index.ts';

/** A packet that left by a port. */
export interface SentPacket {
  readonly port: number;
  readonly packet: Uint8Array;
}

/** A bridge `br0` in this process with ports p1, p2 and its own, and everything that speaks OpenFlow with it. */
export class OpenflowSwitch {
  readonly folder = mkdtempSync(join(tmpdir(), 'oko-switch-'));
  readonly socket = join(this.folder, 'br0.mgmt');
  readonly bridge: Bridge;
  readonly controllers: Controllers;
  readonly sent: SentPacket[] = [];

  constructor(options: { failMode?: FailMode; versions?: readonly OpenflowVersion[] } = {}) {
    const clock = new WallClock();
    this.bridge = new Bridge({ name: 'br0', clock });
    for (const [number, name] of [
      [1, 'p1'],
      [2, 'p2'],
      [OFPP.local, 'br0'],
    ] as const) {
      const send = (packet: Uint8Array): boolean => {
        this.sent.push({ port: number, packet: packet.slice() });
        return true;
      };
      this.bridge.addPort(number, { name, send }, { mac: Uint8Array.of(2, 0, 0, 0, 0, number & 0xff) });
    }
    this.controllers = new Controllers({
      bridge: this.bridge,
      clock,
      datapathId: 0x2an,
      failMode: options.failMode ?? 'secure',
      description: { manufacturer: 'Oko', hardware: 'Test', software: '0', serial: 'None', datapath: 'br0' },
      ...(options.versions === undefined ? {} : { versions: options.versions }),
    });
  }

  /** Makes the management socket, for what connects from outside. */
  async listen(): Promise<void> {
    await this.controllers.add(`punix:${this.socket}`, { kind: 'service' });
  }

  async close(): Promise<void> {
    await this.controllers.close();
    rmSync(this.folder, { recursive: true });
  }
}

export interface OfctlRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Runs ovs-ofctl beside this process's own event loop. */
export function runOfctl(args: readonly string[], input = ''): Promise<OfctlRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('ovs-ofctl', ['--timeout=120', ...args]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ stdout, stderr, status }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
