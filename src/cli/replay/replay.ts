import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ManualClock } from '../../datapath/index.ts';
import { createPcapFile, readCaptureFile } from '../../packet/capture-file.ts';
import type { PcapWriter } from '../../packet/index.ts';
import { type NumberedFile, numberedFiles } from '../numbered-file.ts';
import { type Arrival, mergeCaptures } from './merge.ts';
import { type MapName, parseMapNames, reportJson, reportText } from './report.ts';
import { setUpScenario } from './scenario.ts';

interface ReplayOptions {
  readonly bridge: string;
  readonly flows: string;
  readonly prog?: readonly NumberedFile[];
  readonly in: readonly NumberedFile[];
  readonly out?: readonly NumberedFile[];
  readonly map?: readonly MapName[];
  readonly engine: string;
  readonly json?: boolean;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Send captures through a bridge with flows and filter programs; deterministic, on the clock of the captures.',
    )
    .requiredOption('--flows <file>', 'flows, one a line, in the syntax of ovs-ofctl')
    .option('--prog <id=file>', 'load an object file as filter program (repeatable)', numberedFiles('--prog'))
    .requiredOption(
      '--in <port=file>',
      'packets that come in by a port: pcap or pcapng (repeatable)',
      numberedFiles('--in'),
    )
    .option('--out <port=file>', 'write what leaves by a port as pcap (repeatable)', numberedFiles('--out'))
    .option('--map <program/map>', 'print a map at the end, by number or name (repeatable)', parseMapNames)
    .option('--bridge <name>', 'name of the bridge', 'br0')
    .option('--engine <name>', 'what runs the programs: wasm or interpreter', 'wasm')
    .option('--json', 'print the result as JSON')
    .action((options: ReplayOptions) => replay(options));
}

function replay(options: ReplayOptions): void {
  const flows = { name: options.flows, text: readFileSync(options.flows, 'utf8') };
  const arrivals = mergeCaptures(options.in.map(({ number, file }) => [number, readCaptureFile(file)] as const));
  const writers = new Map<number, PcapWriter>();
  try {
    const first = arrivals.next();
    const clock = new ManualClock(first.done ? 0n : first.value.packet.timestampNs);
    for (const { number, file } of options.out ?? []) writers.set(number, createPcapFile(file));
    const bridge = setUpScenario({
      bridge: options.bridge,
      flows,
      programs: options.prog ?? [],
      engine: options.engine,
      clock,
      ports: portsOf(options, writers),
    });
    const receive = ({ port, packet }: Arrival): void => {
      clock.advanceTo(packet.timestampNs);
      bridge.receive(port, packet.bytes);
    };
    if (!first.done) receive(first.value);
    for (const arrival of arrivals) receive(arrival);
    const maps = options.map ?? [];
    const report = options.json ? reportJson(bridge, clock, maps) : reportText(bridge, clock, maps);
    for (const [port, writer] of writers) {
      writer.finish();
      writers.delete(port);
    }
    process.stdout.write(report);
  } finally {
    for (const writer of writers.values()) writer.abort();
    arrivals.return();
  }
}

/** Every port that is named by --in or --out; what leaves by one without a file is only counted. */
function portsOf(
  options: ReplayOptions,
  writers: ReadonlyMap<number, PcapWriter>,
): Map<number, (packet: Uint8Array, timeNs: bigint) => void> {
  const numbers = new Set([...options.in, ...(options.out ?? [])].map(({ number }) => number));
  return new Map(
    [...numbers]
      .sort((a, b) => a - b)
      .map((number) => [
        number,
        (bytes: Uint8Array, timestampNs: bigint): void =>
          writers.get(number)?.write({ timestampNs, originalLength: bytes.length, bytes }),
      ]),
  );
}
