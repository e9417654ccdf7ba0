import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { FakeSwitchView } from '../../../test/support/fake-switch-view.ts';
import { runs } from '../../../test/support/property-runs.ts';
import { unixctlCommands } from './commands.ts';
import { parseDatapathFlow } from './datapath-flow-parser.ts';
import { formatDatapathFlow } from './datapath-text.ts';
import { UnixctlError } from './errors.ts';
import { UnixctlServer } from './server.ts';

const view = new FakeSwitchView();
view.setFlows(['actions=resubmit(,1),NORMAL', 'table=1,ip,actions=dec_ttl,write_actions(output:2),goto_table:2']);
const registry = unixctlCommands(view);
afterAll(() => registry.close());

const FLOW =
  'in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x8100),vlan(vid=5,pcp=3),' +
  'encap(eth_type(0x0800),ipv4(src=1.1.1.1,dst=10.0.0.1,proto=6,tos=0,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(0x12))';
const NAMES = [...(await registry.run('list-commands', [])).matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);

/** A word of a command, or a real one with a piece of another in it. */
const word = fc.oneof(
  fc.constantFrom(
    'br0',
    'p1',
    'p2',
    'in_port=1,ip',
    '-generate',
    '--len',
    '-m',
    'filter=ip',
    FLOW,
    '0',
    '50:54:00:00:00:05',
  ),
  fc.constantFrom(
    '1000',
    'any:file:dbg',
    'up',
    'down',
    'ffffffffffff0242ac1100020806',
    'output:2',
    '--qid',
    '-s',
    '--cleanup',
  ),
  fc.string({ maxLength: 40 }),
  fc
    .tuple(
      fc.constantFrom(FLOW, 'in_port=1,tcp,nw_dst=10.0.0.0,tp_dst=80'),
      fc.nat(200),
      fc.nat(20),
      fc.string({ maxLength: 8 }),
    )
    .map(([text, at, length, other]) => text.slice(0, at) + other + text.slice(at + length)),
);

it('commands answer any words, or refuse them by name', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...NAMES), fc.array(word, { maxLength: 5 }), async (name, args) => {
      try {
        expect(typeof (await registry.run(name, args))).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(UnixctlError);
        expect((error as Error).message).not.toBe('');
      }
    }),
    { numRuns: runs(500) },
  );
});

it('a datapath flow that is read and written is the same again', () => {
  const all = new Uint8Array(400).fill(0xff);
  const text = formatDatapathFlow(
    parseDatapathFlow(FLOW, () => undefined),
    all,
  );
  expect(text.replace('packet_type(ns=0,id=0),', '')).toBe(`recirc_id(0),${FLOW}`);
  expect(parseDatapathFlow(text, () => undefined)).toEqual(parseDatapathFlow(FLOW, () => undefined));
});

it('the socket outlives whatever is sent to it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oko-hostile-'));
  const server = await UnixctlServer.open(join(folder, 'ctl'), registry);
  const send = (bytes: Uint8Array): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      const socket = connect(server.path, () => socket.end(bytes));
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
  const request = Buffer.from('{"id":0,"method":"ofproto/list","params":[]}');
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(request.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(request.length))
    .map(([changes, length]) => {
      const bytes = Buffer.from(request);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes.subarray(0, length);
    });
  try {
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
        await send(bytes);
        expect(await send(request)).toBe('{"id":0,"result":"br0\\n","error":null}');
      }),
      { numRuns: runs(100) },
    );
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
