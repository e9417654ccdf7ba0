import { readFileSync } from 'node:fs';
import { runOko, runOkoMisses } from './oko-runner.ts';
import { scenarios } from './scenarios.ts';
import { connections, frames } from './traffic.ts';

const REPEATS = 3;
const SECONDS = 1;
/** Makes all of the 5-tuple decide. */
const LOOKS_AT_TUPLE =
  'tcp,actions=move:NXM_OF_IP_SRC[]->NXM_NX_REG0[],move:NXM_OF_IP_DST[]->NXM_NX_REG1[],' +
  'move:NXM_OF_TCP_SRC[]->NXM_NX_REG2[0..15],move:NXM_OF_TCP_DST[]->NXM_NX_REG2[16..31],output:2';
const NEW_FLOWS = 60_000;
const MISSES = 'every packet a new flow';

/**
 * Forwards packets of 64 bytes from memory to memory, in one packet thread. What an argument, a regular expression, names; with
 * `--peer FILE` the rates of a peer beside it: lines of "name<TAB>million packets in a second of processor time".
 */
export async function benchDatapath(args: readonly string[]): Promise<void> {
  const peerFile = args.includes('--peer') ? args[args.indexOf('--peer') + 1] : undefined;
  const pattern = args.find((arg) => !arg.startsWith('-') && arg !== peerFile);
  const only = new RegExp(pattern ?? '');
  const peer = peerFile === undefined ? new Map<string, number>() : readPeer(peerFile);
  console.log('| case | million packets per CPU-second | ns a packet | peer | ratio | target |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const print = (name: string, perCpuSecond: number, target: number): void => {
    const own = perCpuSecond / 1e6;
    const theirs = peer.get(name);
    const beside = theirs === undefined ? ['', ''] : [`${theirs}`, (own / theirs).toFixed(1)];
    console.log(
      `| ${[name, own.toFixed(own < 1 ? 3 : 1), (1e9 / perCpuSecond).toFixed(1), ...beside, `≥ ${target}`].join(' | ')} |`,
    );
  };
  for (const scenario of scenarios().filter(({ name }) => only.test(name)))
    print(scenario.name, (await runOko(scenario, REPEATS, SECONDS)).perCpuSecond, scenario.target);
  if (!only.test(MISSES)) return;
  const { perCpuSecond } = await runOkoMisses(frames(connections(NEW_FLOWS, NEW_FLOWS)), [LOOKS_AT_TUPLE]);
  print(MISSES, perCpuSecond, 1);
}

function readPeer(file: string): Map<string, number> {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return new Map(lines.map((line) => [line.split('\t')[0], Number(line.split('\t')[1])]));
}
