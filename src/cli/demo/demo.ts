import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { ManualClock } from '../../datapath/index.ts';
import type { Bridge } from '../../ofproto/index.ts';
import { readCaptureFile } from '../../packet/capture-file.ts';
import type { CapturedPacket } from '../../packet/index.ts';
import { setUpScenario } from '../replay/scenario.ts';
import { demoScreen, progressLine } from './screen.ts';
import { Terminal } from './terminal.ts';

const EXAMPLES = new URL('../../../examples/', import.meta.url);
const CAPTURE = fileURLToPath(new URL('captures/mix.pcap', EXAMPLES));
const PROGRAM = fileURLToPath(new URL('rate-limiter.o', EXAMPLES));
const FLOWS = fileURLToPath(new URL('flows/rate-limit.txt', EXAMPLES));

const INSIDE_PORT = 1;
const OUTSIDE_PORT = 2;
/** How often due packets are delivered. */
const STEP_MS = 10;
const SCREEN_MS = 500;
const LINE_MS = 1000;
/** Between two rounds of the capture. */
const PAUSE_NS = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;

interface DemoOptions {
  readonly once?: boolean;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Run a bridge on built-in traffic: ordinary hosts and one that floods, limited by an eBPF program.')
    .option('--once', 'end when the capture has been played once')
    .action((options: DemoOptions) => demo(options));
}

/** Plays the capture in its own time until it is done or the user stops it; then says what has come of it. */
async function demo(options: DemoOptions): Promise<void> {
  const packets = [...readCaptureFile(CAPTURE)];
  const startNs = BigInt(Date.now()) * NS_PER_MS;
  const clock = new ManualClock(startNs);
  const ignore = (): void => {};
  const bridge = setUpScenario({
    bridge: 'br0',
    flows: { name: FLOWS, text: readFileSync(FLOWS, 'utf8') },
    programs: [{ number: 1, file: PROGRAM }],
    engine: 'wasm',
    clock,
    ports: new Map([
      [INSIDE_PORT, ignore],
      [OUTSIDE_PORT, ignore],
    ]),
  });
  const terminal = new Terminal(process.stdout);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const show = (): void => {
    if (terminal.isInteractive) terminal.replace(demoScreen(bridge, clock, startNs));
    else terminal.line(progressLine(bridge, clock, startNs));
  };
  const refresh = setInterval(show, terminal.isInteractive ? SCREEN_MS : LINE_MS);
  try {
    show();
    await play(packets, { bridge, clock, startNs, once: options.once === true, stop: stop.signal });
  } finally {
    clearInterval(refresh);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  terminal.replace(demoScreen(bridge, clock, startNs));
  terminal.line(stop.signal.aborted ? 'Stopped.' : 'The capture is done.');
  terminal.line(NEXT_STEPS);
}

interface Play {
  readonly bridge: Bridge;
  readonly clock: ManualClock;
  readonly startNs: bigint;
  readonly once: boolean;
  readonly stop: AbortSignal;
}

async function play(packets: readonly CapturedPacket[], { bridge, clock, startNs, once, stop }: Play): Promise<void> {
  const firstNs = packets[0].timestampNs;
  const roundNs = packets[packets.length - 1].timestampNs - firstNs + PAUSE_NS;
  const began = process.hrtime.bigint();
  for (let round = 0n; !stop.aborted; round++) {
    for (const { timestampNs, bytes } of packets) {
      const dueNs = round * roundNs + timestampNs - firstNs;
      while (process.hrtime.bigint() - began < dueNs && !stop.aborted) await sleep(STEP_MS);
      if (stop.aborted) return;
      clock.advanceTo(startNs + dueNs);
      bridge.receive(INSIDE_PORT, bytes);
    }
    if (once) return;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const NEXT_STEPS = `
Try next:
  npx oko replay --flows examples/flows/rate-limit.txt --prog 1=examples/rate-limiter.o \\
      --in 1=examples/captures/mix.pcap --out 2=/tmp/out.pcap --map 1/limits
  npx oko bpf disasm examples/rate-limiter.o
  npx oko --help
docs/filters.md tells how to write a filter of your own.`;
