import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  compileSchema,
  Database,
  DatabaseFile,
  type Json,
  OvsdbClient,
  type OvsdbError,
  OvsdbServer,
  type OvsdbServerOptions,
  openVswitch,
} from '../../src/ovsdb/index.ts';
import { temporaryDirectory } from './debian-server.ts';
import { CLOSED, RawClient, type RawMessage } from './raw-client.ts';
import { everythingSchema } from './schema-for-tests.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let socketPath: string;
let server: OvsdbServer;
let errors: (OvsdbError | undefined)[];
const sockets = new Set<Socket>();

beforeEach(() => {
  directory = temporaryDirectory();
  socketPath = join(directory.path, 's');
  errors = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await server.close();
  directory.remove();
});

async function serve(options: Partial<OvsdbServerOptions> = {}): Promise<void> {
  server = new OvsdbServer({
    databases: [new Database(compileSchema(everythingSchema))],
    onSessionError: (_peer, error) => errors.push(error),
    ...options,
  });
  await server.addRemote(`punix:${socketPath}`);
}

function client(): RawClient {
  const made = new RawClient(socketPath);
  sockets.add(made.socket);
  return made;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await sleep(5);
  expect(condition()).toBe(true);
}

const insertRoot = (name: string, number: number): Json => ({ op: 'insert', table: 'Root', row: { name, number } });

describe('a session that misbehaves', () => {
  it.each([
    ['no JSON', 'hello', 'OVSDB_PROTOCOL'],
    ['an array', '[1]', 'OVSDB_PROTOCOL'],
    ['broken JSON', '{"method":}', 'OVSDB_PROTOCOL'],
    ['a number too much', '{"id":1,"method":"echo","params":[01]}', 'OVSDB_PROTOCOL'],
    ['an unknown member', '{"id":1,"method":"echo","params":[],"more":1}', 'OVSDB_PROTOCOL'],
    ['params that are no array', '{"id":1,"method":"echo","params":{}}', 'OVSDB_PROTOCOL'],
    ['a request without method', '{"id":1,"params":[]}', 'OVSDB_PROTOCOL'],
    ['a reply to nothing', '{"id":1,"result":1,"error":null}', 'OVSDB_PROTOCOL'],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"id":1,"method":"'), Buffer.from([0xff]), Buffer.from('","params":[]}')]),
      'OVSDB_PROTOCOL',
    ],
    ['deep nesting', `{"id":1,"method":"echo","params":${'['.repeat(1001)}`, 'OVSDB_MESSAGE_TOO_DEEP'],
  ])('is closed: %s', async (_name, bytes, code) => {
    await serve();
    const bad = client();
    const good = client();
    bad.socket.write(bytes);
    await until(() => bad.isClosed);
    expect(errors.map((error) => error?.code)).toEqual([code]);
    expect((await good.call('list_dbs', [])).result).toEqual(['Everything', '_Server']);
    expect(server.sessionCount).toBe(1);
  });

  it('is closed when it sends a string of 100 MB, long before that', async () => {
    await serve();
    const bad = client();
    bad.socket.write('{"id":1,"method":"echo","params":["');
    const megabyte = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 100 && !bad.isClosed; i++) if (!bad.socket.write(megabyte)) await sleep(2);
    await until(() => bad.isClosed);
    expect(errors.map((error) => error?.code)).toEqual(['OVSDB_MESSAGE_TOO_BIG']);
  });

  it('is closed when it goes silent in the middle of a message, and when it does not answer a probe', async () => {
    await serve({ probeIntervalMs: 50 });
    const halfOpen = connect({ path: socketPath });
    sockets.add(halfOpen);
    halfOpen.on('error', () => undefined).resume();
    let isClosed = false;
    halfOpen.on('close', () => {
      isClosed = true;
    });
    halfOpen.write('{"id":1,"method":"ec');
    const alive = client();
    await until(() => isClosed);
    expect(errors.map((error) => error?.code)).toEqual(['OVSDB_DISCONNECTED']);
    await sleep(150);
    expect((await alive.call('list_dbs', [])).error).toBeNull();
  });

  it('does not make the server keep more for it than limited: monitors, locks, waiting transactions', async () => {
    await serve({ sessionLimits: { maxMonitors: 2, maxLocks: 2, maxTransactions: 2 } });
    const greedy = client();
    const wait: Json = {
      op: 'wait',
      table: 'Root',
      until: '==',
      columns: ['name'],
      rows: [{ name: 'never' }],
      where: [],
    };
    for (const [method, params] of [
      ['monitor', (i: number): Json[] => ['Everything', i, {}]],
      ['lock', (i: number): Json[] => [`lock${i}`]],
    ] as const) {
      for (let i = 0; i < 2; i++) expect((await greedy.call(method, params(i))).error).toBeNull();
      expect((await greedy.call(method, params(2))).error).toMatchObject({ error: 'resources exhausted' });
    }
    void greedy.call('transact', ['Everything', wait]);
    void greedy.call('transact', ['Everything', wait]);
    expect((await greedy.call('transact', ['Everything', wait])).error).toMatchObject({ error: 'resources exhausted' });
    await greedy.call('unlock', ['lock0']);
    expect((await greedy.call('lock', ['lock2'])).result).toEqual({ locked: true });
  });

  it('hears of the sum of the changes when it does not read, and costs no more', async () => {
    await serve({ sessionLimits: { maxBacklog: 10_000 } });
    const slow = client();
    const writer = client();
    await slow.call('monitor_cond', ['Everything', 'm', { Root: [{ columns: ['settings', 'name'] }] }]);
    slow.socket.pause();
    await writer.call('transact', ['Everything', insertRoot('a', 1)]);
    const big = 'x'.repeat(10_000);
    for (let i = 0; i < 500; i++)
      await writer.call('transact', [
        'Everything',
        { op: 'update', table: 'Root', where: [], row: { settings: ['map', [['n', `${i}${big}`]]] } },
      ]);
    slow.socket.resume();
    const updates: RawMessage[] = [];
    await until(() => {
      updates.push(...slow.takeNotifications());
      return JSON.stringify(updates.at(-1))?.includes(`499${big}`);
    });
    // Some were under way before the server noticed; the rest came as one.
    expect(updates.length).toBeLessThan(400);
  });

  it('waits with its requests until it has read the answers', async () => {
    await serve({ sessionLimits: { maxBacklog: 10_000 } });
    const flood = client();
    flood.socket.pause();
    const payload = 'x'.repeat(5000);
    const replies = Array.from({ length: 2000 }, (_, i) => flood.call('echo', [i, payload]));
    await sleep(200);
    flood.socket.resume();
    expect((await Promise.all(replies)).map(({ result }) => (result as Json[])[0])).toEqual(replies.map((_, i) => i));
  });

  it('may send thousands of durable commits before it reads an answer', async () => {
    const file = DatabaseFile.open(join(directory.path, 'db'), { schema: compileSchema(everythingSchema) });
    await serve({ databases: [file.database], sessionLimits: { maxTransactions: 10 } });
    const eager = client();
    const commit: Json[] = [
      { op: 'mutate', table: 'Root', where: [], mutations: [['number', '+=', 1]] },
      { op: 'commit', durable: true },
    ];
    await eager.call('transact', ['Everything', insertRoot('a', 0)]);
    const replies = await Promise.all(
      Array.from({ length: 2000 }, () => eager.call('transact', ['Everything', ...commit])),
    );
    for (const { result } of replies) expect(result).toEqual([{ count: 1 }, {}]);
    const { result } = await eager.call('transact', [
      'Everything',
      { op: 'select', table: 'Root', where: [], columns: ['number'] },
    ]);
    expect(result).toEqual([{ rows: [{ number: 2000 }] }]);
    await server.close();
    await file.close();
  });

  it('is refused when there are too many', async () => {
    await serve({ maxSessions: 3 });
    const clients = [client(), client(), client()];
    for (const each of clients) await each.call('list_dbs', []);
    const fourth = client();
    expect((await fourth.call('list_dbs', [])).error).toBe(CLOSED);
    clients[0].close();
    await until(() => server.sessionCount === 2);
    expect((await client().call('list_dbs', [])).error).toBeNull();
  });
});

describe('transactions that wait', () => {
  const waitFor = (name: string, timeout?: number): Json => ({
    op: 'wait',
    table: 'Root',
    until: '==',
    columns: ['name'],
    rows: [{ name }],
    where: [['name', '==', name]],
    ...(timeout !== undefined && { timeout }),
  });

  it('come true by the commit of another, in their turn, and can make yet another come true', async () => {
    await serve();
    const [a, b, c] = [client(), client(), client()];
    const first = a.call('transact', ['Everything', waitFor('one'), insertRoot('two', 2)]);
    const second = b.call('transact', ['Everything', waitFor('two'), { op: 'comment', comment: 'at last' }]);
    // What the session asks meanwhile is answered meanwhile.
    expect((await a.call('list_dbs', [])).error).toBeNull();
    await c.call('transact', ['Everything', insertRoot('one', 1)]);
    expect((await first).result).toEqual([{}, { uuid: expect.anything() }]);
    expect((await second).result).toEqual([{}, {}]);
  });

  it('give up in time, or when cancelled, or with their session', async () => {
    await serve();
    const [a, b] = [client(), client()];
    expect((await a.call('transact', ['Everything', waitFor('one', 30), insertRoot('x', 0)])).result).toEqual([
      { error: 'timed out', details: expect.any(String) },
      null,
    ]);
    const waiting = a.call('transact', ['Everything', waitFor('one'), insertRoot('two', 2)], 'mine');
    expect((await a.call('transact', ['Everything'], 'mine')).error).toMatchObject({ error: 'syntax error' });
    void waiting;
    const cancelled = a.call('transact', ['Everything', waitFor('one'), insertRoot('three', 3)], 'other');
    a.send({ id: null, method: 'cancel', params: ['other'] });
    expect((await cancelled).error).toBe('canceled');
    a.close();
    await until(() => server.sessionCount === 1);
    await b.call('transact', ['Everything', insertRoot('one', 1)]);
    const { result } = await b.call('transact', [
      'Everything',
      { op: 'select', table: 'Root', where: [], columns: ['name'] },
    ]);
    expect(result).toEqual([{ rows: [{ name: 'one' }] }]);
  });
});

describe('many clients', () => {
  it('200 at once change and watch one database', async () => {
    server = new OvsdbServer({ databases: [new Database(compileSchema(openVswitch))] });
    await server.addRemote(`punix:${socketPath}`);
    const clients = Array.from({ length: 200 }, client);
    await clients[0].call('transact', ['Open_vSwitch', { op: 'insert', table: 'Open_vSwitch', row: {} }]);
    await Promise.all(
      clients.map((each) =>
        each.call('monitor_cond', ['Open_vSwitch', 'm', { Open_vSwitch: [{ columns: ['next_cfg'] }] }]),
      ),
    );
    await Promise.all(
      clients.map((each) =>
        each.call('transact', [
          'Open_vSwitch',
          { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] },
        ]),
      ),
    );
    await Promise.all(clients.map((each) => each.call('echo', [])));
    expect(server.sessionCount).toBe(200);
    for (const each of clients)
      expect(JSON.stringify(each.takeNotifications().at(-1)?.params)).toContain('"next_cfg":200');
  });
});

describe('remotes', () => {
  it('serves on TCP, and calls out to those who listen', async () => {
    await serve();
    const { port } = await server.addRemote('ptcp:0:127.0.0.1');
    const overTcp = new OvsdbClient({ schema: everythingSchema, connect: `tcp:127.0.0.1:${port}` });
    overTcp.start();
    await overTcp.whenReady();
    overTcp.close();
    const managerPath = join(directory.path, 'manager');
    const manager = createServer();
    const called = new Promise<Socket>((resolve) => manager.once('connection', resolve));
    manager.listen(managerPath);
    const remote = await server.addRemote(`unix:${managerPath}`);
    const socket = await called;
    sockets.add(socket);
    socket.write('{"id":1,"method":"list_dbs","params":[]}');
    const [chunk] = (await Promise.race([
      new Promise((resolve) => socket.once('data', (data) => resolve([data]))),
    ])) as [Buffer];
    expect(JSON.parse(chunk.toString())).toEqual({ id: 1, result: ['Everything', '_Server'], error: null });
    // It calls again after the connection was lost.
    const again = new Promise<Socket>((resolve) => manager.once('connection', resolve));
    socket.destroy();
    sockets.add(await again);
    await remote.close();
    manager.close();
  });

  it.each([
    '',
    'foo:bar',
    'punix:',
    'tcp:',
    'ptcp:99999',
    'ptcp:1:2:3x:',
    'unix:/no/such/dir/s',
    `punix:/${'x'.repeat(120)}`,
    'punix:/no/such/dir/s',
    'ptcp:0:203.0.113.77',
    'pssl:0',
  ])('refuses %j by name, or keeps trying', async (text) => {
    await serve();
    const outcome = await server.addRemote(text).then(
      () => 'keeps trying',
      (error: OvsdbError) => error.code,
    );
    expect(outcome).toBe(text.startsWith('unix:') ? 'keeps trying' : 'OVSDB_REMOTE');
  });

  it('replaces the socket that a dead server left behind, but no other file', async () => {
    await serve();
    await server.close();
    execFileSync('sh', ['-c', `mkfifo ${directory.path}/fifo`]);
    await serve();
    await expect(server.addRemote(`punix:${directory.path}/fifo`)).rejects.toMatchObject({ code: 'OVSDB_REMOTE' });
    expect(existsSync(join(directory.path, 'fifo'))).toBe(true);
  });

  const hasOpenssl = ['/usr/bin/openssl', '/bin/openssl'].some((path) => existsSync(path));

  it.skipIf(!hasOpenssl)('serves on TLS those whom its CA signed (needs openssl)', async () => {
    const file = (name: string): string => join(directory.path, name);
    const openssl = (command: string): void =>
      void execFileSync('openssl', command.split(' '), { cwd: directory.path, stdio: 'ignore' });
    openssl('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2');
    for (const name of ['server', 'client']) {
      openssl(`req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
      openssl(`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out ${name}.pem -days 2`);
    }
    openssl('req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.pem -subj /CN=stranger -days 2');
    const tls = (name: string): { key: Buffer; cert: Buffer; ca: Buffer } => ({
      key: readFileSync(file(`${name}.key`)),
      cert: readFileSync(file(`${name}.pem`)),
      ca: readFileSync(file('ca.pem')),
    });
    await serve({ tls: tls('server') });
    const { port } = await server.addRemote('pssl:0:127.0.0.1');
    const friend = new OvsdbClient({
      schema: everythingSchema,
      connect: `ssl:127.0.0.1:${port}`,
      dial: { tls: tls('client') },
    });
    friend.start();
    await friend.whenReady();
    expect(server.sessionCount).toBe(1);
    const stranger = new OvsdbClient({
      schema: everythingSchema,
      connect: `ssl:127.0.0.1:${port}`,
      dial: { tls: tls('stranger') },
    });
    const failed = new Promise<OvsdbError | undefined>((resolve) => stranger.onState(resolve));
    stranger.start();
    expect((await failed)?.code).toBe('OVSDB_DISCONNECTED');
    expect(stranger.isReady).toBe(false);
    stranger.close();
    friend.close();
    if (existsSync('/usr/bin/ovsdb-client')) {
      const { stdout } = await promisify(execFile)(
        'ovsdb-client',
        ['-p', file('client.key'), '-c', file('client.pem'), '-C', file('ca.pem'), 'list-dbs', `ssl:127.0.0.1:${port}`],
        { timeout: 10_000 },
      );
      expect(stdout).toBe('Everything\n_Server\n');
    }
  });
});
