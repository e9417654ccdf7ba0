import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vswitchMissing } from '../../test/support/dummy-vswitch.ts';
import { debianSwitch, ownSwitch, processorSeconds, residentBytes, type Subject } from './subjects.ts';

const DEFAULT_FLOWS = 100_000;
const ROUNDS = 3;

interface Step {
  readonly name: string;
  readonly args: readonly string[];
  /** The switch's memory is looked at afterwards. */
  readonly weighs?: boolean;
}

interface Figure {
  seconds: number;
  cpuSeconds: number;
  longestMs: number | undefined;
  rss: number | undefined;
}

/** `npm run bench -- openflow [flows]`: the flow table under ovs-ofctl, beside Debian's switch. */
export async function benchOpenflow([count = String(DEFAULT_FLOWS)]: readonly string[]): Promise<void> {
  const flows = Number(count);
  const folder = mkdtempSync(join(tmpdir(), 'oko-bench-flows-'));
  const file = join(folder, 'flows');
  writeFileSync(file, flowTexts(flows).join('\n'));
  const changed = join(folder, 'changed');
  writeFileSync(changed, flowTexts(flows, 2).join('\n'));
  const steps: readonly Step[] = [
    { name: 'add-flows', args: ['add-flows', 'SWITCH', file], weighs: true },
    { name: 'dump-flows', args: ['dump-flows', 'SWITCH'] },
    { name: 'dump-flows, 1.3', args: ['-O', 'OpenFlow13', 'dump-flows', 'SWITCH'] },
    { name: 'dump-aggregate', args: ['dump-aggregate', 'SWITCH'] },
    { name: 'mod-flows, all', args: ['mod-flows', 'SWITCH', 'actions=drop'] },
    { name: 'del-flows, all', args: ['del-flows', 'SWITCH'] },
    {
      name: 'add-flows in a bundle',
      args: ['-O', 'OpenFlow14', '--bundle', 'add-flows', 'SWITCH', file],
      weighs: true,
    },
    { name: 'the same again', args: ['-O', 'OpenFlow14', '--bundle', 'add-flows', 'SWITCH', changed] },
    { name: 'del-flows in a bundle', args: ['-O', 'OpenFlow14', '--bundle', 'del-flows', 'SWITCH'] },
  ];
  const missing = vswitchMissing();
  if (missing !== undefined) console.log(`(${missing}: only Oko)`);
  const subjects = [await ownSwitch(), ...(missing === undefined ? [debianSwitch()] : [])];
  try {
    const figures = new Map<Subject, Map<string, Figure>>();
    for (const subject of subjects) figures.set(subject, new Map());
    // Looking at each turn of the event loop takes time, so that is a round of its own.
    for (let round = 0; round <= ROUNDS; round++)
      for (const step of steps)
        for (const subject of subjects)
          keepBest(figures.get(subject), step.name, await measure(subject, step, round === ROUNDS));
    report(flows, steps, subjects, figures);
  } finally {
    for (const subject of subjects) subject.close();
    rmSync(folder, { recursive: true });
  }
}

/** Of the kinds that a controller makes: hosts by address, services by port, with a few priorities. */
function flowTexts(count: number, port = 1): string[] {
  return Array.from({ length: count }, (_, i) => {
    const host = `10.${(i >> 16) & 0xff}.${(i >> 8) & 0xff}.${i & 0xff}`;
    const match = i % 2 === 0 ? `ip,nw_dst=${host}` : `tcp,nw_dst=${host},tp_dst=${1 + (i % 1000)}`;
    return `priority=${10 + (i % 4)},cookie=0x${i.toString(16)},${match},actions=dec_ttl,output:${port}`;
  });
}

async function measure(subject: Subject, { args, weighs }: Step, isMetered: boolean): Promise<Figure> {
  if (isMetered) await subject.startMeter();
  const cpu = processorSeconds(subject.pid);
  const start = performance.now();
  await ofctl(args.map((word) => (word === 'SWITCH' ? `unix:${subject.socket}` : word)));
  const seconds = (performance.now() - start) / 1000;
  return {
    seconds,
    cpuSeconds: processorSeconds(subject.pid) - cpu,
    longestMs: isMetered ? await subject.stopMeter() : undefined,
    rss: weighs ? residentBytes(subject.pid) : undefined,
  };
}

/** Of the times the shortest, since what else runs only adds to them; of stretches and of memory the largest. */
function keepBest(figures: Map<string, Figure> | undefined, name: string, figure: Figure): void {
  const known = figures?.get(name);
  if (known === undefined) {
    figures?.set(name, figure);
    return;
  }
  known.seconds = Math.min(known.seconds, figure.seconds);
  known.cpuSeconds = Math.min(known.cpuSeconds, figure.cpuSeconds);
  if (figure.longestMs !== undefined) known.longestMs = Math.max(known.longestMs ?? 0, figure.longestMs);
  if (figure.rss !== undefined) known.rss = Math.max(known.rss ?? 0, figure.rss);
}

function report(
  flows: number,
  steps: readonly Step[],
  subjects: readonly Subject[],
  figures: ReadonlyMap<Subject, ReadonlyMap<string, Figure>>,
): void {
  const [ours, theirs] = subjects.map((subject) => figures.get(subject));
  console.log(`${flows} flows; seconds, shortest of ${ROUNDS}; (…): processor time of the switch alone`);
  console.log('longest stretch: processor time that the main thread was held for, longest of all rounds\n');
  console.log(row(['step', 'Oko', 'Open vSwitch', 'rate', 'stretch', 'RSS', 'their RSS', 'ratio']));
  for (const { name } of steps) {
    const [mine, other] = [ours?.get(name), theirs?.get(name)];
    if (mine === undefined) continue;
    console.log(
      row([
        name,
        times(mine),
        other === undefined ? '-' : times(other),
        other === undefined ? '-' : (other.seconds / mine.seconds).toFixed(2),
        `${mine.longestMs?.toFixed(1)} ms`,
        megabytes(mine.rss),
        megabytes(other?.rss),
        mine.rss === undefined || other?.rss === undefined ? '' : (mine.rss / other.rss).toFixed(2),
      ]),
    );
  }
}

function times({ seconds, cpuSeconds }: Figure): string {
  return `${seconds.toFixed(2)} (${cpuSeconds.toFixed(2)})`;
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${(bytes / 1e6).toFixed(0)} MB`;
}

function row([name, ...cells]: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(14)).join('');
}

function ofctl(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('ovs-ofctl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`ovs-ofctl ${args.join(' ')}: ${stderr}`)),
    );
  });
}
