import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { OpenflowClient } from '../../src/cli/ofctl/client.ts';
import { runCli } from '../../src/cli/run.ts';
import { CallbackPort, ManualClock } from '../../src/datapath/index.ts';
import { Bridge, type BridgeOptions, Controllers, type ControllersOptions } from '../../src/ofproto/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../src/packet/index.ts';

export interface CliResult {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A bridge in this process with two ports and a management socket, and the command line to drive it with. */
export class ProgramSwitch {
  readonly clock = new ManualClock(1_700_000_000_000_000_000n);
  readonly bridge: Bridge;
  readonly controllers: Controllers;
  readonly folder = mkdtempSync(join(tmpdir(), 'oko-programs-'));
  readonly sent: (readonly [number, Uint8Array])[] = [];
  readonly #name: string;

  private constructor(options: Partial<BridgeOptions>, controllers: Partial<ControllersOptions>) {
    this.#name = options.name ?? 'br0';
    this.bridge = new Bridge({ name: this.#name, clock: this.clock, ...options });
    for (const number of [1, 2])
      this.bridge.addPort(number, new CallbackPort(`p${number}`, (packet) => this.sent.push([number, packet.slice()])));
    this.controllers = new Controllers({
      bridge: this.bridge,
      clock: this.clock,
      datapathId: 1n,
      failMode: 'secure',
      description: { manufacturer: '', hardware: '', software: '', serial: '', datapath: '' },
      ...controllers,
    });
  }

  static async start(
    options: Partial<BridgeOptions> = {},
    controllers: Partial<ControllersOptions> = {},
  ): Promise<ProgramSwitch> {
    const started = new ProgramSwitch(options, controllers);
    await started.controllers.add(started.socket.replace(/^unix:/, 'punix:'), { kind: 'service' });
    return started;
  }

  get socket(): string {
    return `unix:${join(this.folder, `${this.#name}.mgmt`)}`;
  }

  connect(version: OpenflowVersion = OPENFLOW_VERSIONS.of13): Promise<OpenflowClient> {
    const socket = { path: this.socket.replace(/^unix:/, '') };
    return OpenflowClient.connect({ name: this.#name, socket }, [version]);
  }

  /** `oko ofctl` with these words, `SW` among them standing for the switch. */
  async ofctl(...words: readonly string[]): Promise<CliResult> {
    const output = { out: '', err: '' };
    const collect = (stream: 'out' | 'err') => (text: unknown) => {
      output[stream] += String(text);
      return true;
    };
    const spies = [
      vi.spyOn(process.stdout, 'write').mockImplementation(collect('out')),
      vi.spyOn(process.stderr, 'write').mockImplementation(collect('err')),
    ];
    try {
      const status = await runCli(['ofctl', ...words.map((word) => (word === 'SW' ? this.socket : word))]);
      return { status, ...output };
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  }

  async close(): Promise<void> {
    await this.controllers.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
