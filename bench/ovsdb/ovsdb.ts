import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../src/ovsdb/json/value.ts';
import { BareClient } from './bare-client.ts';
import { peerMissing, type ServerProcess, startOurs, startTheirs } from './server-process.ts';

/** One thing that is measured: how many of what it does in a second. */
interface Task {
  readonly name: string;
  readonly unit: string;
  readonly count: number;
  run(client: BareClient, count: number, server: ServerProcess): Promise<void>;
}

const insertPort = (name: string): Json[] => [
  { op: 'insert', table: 'Interface', 'uuid-name': 'i', row: { name, type: 'internal' } },
  { op: 'insert', table: 'Port', 'uuid-name': 'p', row: { name, interfaces: ['named-uuid', 'i'] } },
  {
    op: 'mutate',
    table: 'Bridge',
    where: [['name', '==', 'br0']],
    mutations: [['ports', 'insert', ['named-uuid', 'p']]],
  },
];

let serial = 0;
const nextCfg = (): Json[] => [{ op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] }];

const TASKS: readonly Task[] = [
  {
    name: 'small transactions, one after the other',
    unit: 'transactions/s',
    count: 3000,
    run: async (client, count) => {
      for (let i = 0; i < count; i++) await client.transact(nextCfg());
    },
  },
  {
    name: 'small transactions, 100 on their way',
    unit: 'transactions/s',
    count: 10_000,
    run: async (client, count) => {
      for (let i = 0; i < count; i += 100)
        await Promise.all(Array.from({ length: 100 }, () => client.transact(nextCfg())));
    },
  },
  {
    name: 'durable transactions, one after the other',
    unit: 'transactions/s',
    count: 500,
    run: async (client, count) => {
      for (let i = 0; i < count; i++) await client.transact([...nextCfg(), { op: 'commit', durable: true }]);
    },
  },
  {
    name: 'ports added, one a transaction',
    unit: 'ports/s',
    count: 1000,
    run: async (client, count) => {
      for (let i = 0; i < count; i++) await client.transact(insertPort(`single${serial++}`));
    },
  },
  {
    name: 'ports added, 1,000 a transaction',
    unit: 'ports/s',
    count: 3000,
    run: async (client, count) => {
      for (let i = 0; i < count; i += 1000) {
        const operations: Json[] = [];
        const ports: Json[] = [];
        for (let j = 0; j < 1000; j++) {
          const name = `bulk${serial++}`;
          operations.push(
            { op: 'insert', table: 'Interface', 'uuid-name': `i${j}`, row: { name } },
            { op: 'insert', table: 'Port', 'uuid-name': `p${j}`, row: { name, interfaces: ['named-uuid', `i${j}`] } },
          );
          ports.push(['named-uuid', `p${j}`]);
        }
        const where: Json = [['name', '==', 'br0']];
        operations.push({ op: 'mutate', table: 'Bridge', where, mutations: [['ports', 'insert', ['set', ports]]] });
        await client.transact(operations);
      }
    },
  },
  {
    name: 'updates of all columns to 100 watching clients',
    unit: 'updates/s',
    count: 10_000,
    run: async (client, count, { socketPath }) => {
      const watchers: BareClient[] = [];
      while (watchers.length < 100) {
        const watcher = new BareClient(socketPath);
        watchers.push(watcher);
        await watcher.call('monitor_cond', ['Open_vSwitch', 1, { Open_vSwitch: [{ columns: ['next_cfg'] }] }]);
      }
      for (let i = 0; i < count; i += watchers.length) await client.transact(nextCfg());
      while (watchers.some(({ updates }) => updates < count / watchers.length))
        await new Promise((resolve) => setTimeout(resolve, 1));
      for (const watcher of watchers) watcher.close();
    },
  },
];

interface Measured {
  readonly perSecond: number;
  /** Microseconds of the server's processor time for one. */
  readonly cpuUs: number;
}

async function prepare({ socketPath }: ServerProcess): Promise<BareClient> {
  const client = new BareClient(socketPath);
  await client.transact([
    { op: 'insert', table: 'Bridge', 'uuid-name': 'b', row: { name: 'br0', ports: ['named-uuid', 'p'] } },
    { op: 'insert', table: 'Port', 'uuid-name': 'p', row: { name: 'br0', interfaces: ['named-uuid', 'i'] } },
    { op: 'insert', table: 'Interface', 'uuid-name': 'i', row: { name: 'br0' } },
    { op: 'insert', table: 'Open_vSwitch', row: { bridges: ['named-uuid', 'b'] } },
  ]);
  return client;
}

async function measure({ run, count }: Task, server: ServerProcess, client: BareClient): Promise<Measured> {
  await run(client, Math.max(100, count / 10), server);
  const [start, cpuStart] = [performance.now(), server.cpuMs()];
  await run(client, count, server);
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: count / seconds, cpuUs: (1000 * (server.cpuMs() - cpuStart)) / count };
}

/** Prints a table of what the database does in a second, beside Debian's ovsdb-server when it is installed. */
export async function benchOvsdb(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oko-bench-ovsdb-'));
  const missing = peerMissing();
  try {
    if (missing !== undefined) console.log(`ovsdb-server is not measured: ${missing}`);
    const servers = [await startOurs(folder), ...(missing === undefined ? [await startTheirs(folder)] : [])];
    const clients = await Promise.all(servers.map(prepare));
    console.log(
      `| | unit | ${servers.map(({ name }) => `${name} | its processor time for one, µs`).join(' | ')} | ratio |`,
    );
    console.log(`| --- | --- |${' ---: | ---: |'.repeat(servers.length)} ---: |`);
    for (const task of TASKS) {
      // One after the other for each task, so that what else the machine does weighs on both alike.
      const measured: Measured[] = [];
      for (const [i, server] of servers.entries()) measured.push(await measure(task, server, clients[i]));
      const cells = measured.map(({ perSecond, cpuUs }) => `${shown(perSecond)} | ${shown(cpuUs)}`);
      const ratio = measured.length < 2 ? '' : (measured[0].perSecond / measured[1].perSecond).toFixed(2);
      console.log(`| ${task.name} | ${task.unit} | ${cells.join(' | ')} | ${ratio} |`);
    }
    for (const [i, server] of servers.entries()) {
      console.log(`${server.name}: ${Math.round(server.residentKb() / 1024)} MB resident at the end`);
      clients[i].close();
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function shown(value: number): string {
  return Math.round(value).toLocaleString('en');
}
