import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runVsctl } from '../../src/cli/vsctl/run-vsctl.ts';
import { compileSchema, Database, OvsdbServer, openVswitch } from '../../src/ovsdb/index.ts';
import { temporaryDirectory } from '../ovsdb/debian-server.ts';
import { runs } from '../support/property-runs.ts';
import { SESSIONS } from './sessions.ts';

const RUNS = runs(300);
/** Would connect elsewhere, or wait for what never comes. */
const LEFT_OUT = new Set(['--db', 'wait-until']);

const words = SESSIONS.flatMap(([, lines]) => lines.split(/\s+/))
  .map((word) => word.replaceAll("'", ''))
  .filter((word) => word !== '' && !LEFT_OUT.has(word));

const word = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...words) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('--', 'br0', 'bridge', 'port', 'set', 'get', 'add', 'list', 'create', 'name'),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...words), fc.nat(12), fc.nat(3), fc.string({ maxLength: 2 }))
      .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut)),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);

describe('oko vsctl, given nonsense', () => {
  const place = temporaryDirectory();
  let server: OvsdbServer;

  beforeAll(async () => {
    server = new OvsdbServer({ databases: [new Database(compileSchema(openVswitch))] });
    await server.addRemote(`punix:${place.path}/db.sock`);
  });

  afterAll(async () => {
    await server.close();
    place.remove();
  });

  it('does something, or says in a line why not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 9 }), async (args) => {
        fc.pre(!args.some((arg) => arg.startsWith('--d') || arg.startsWith('--r') || LEFT_OUT.has(arg)));
        let err = '';
        const status = await runVsctl([`--db=unix:${place.path}/db.sock`, '--no-wait', '--timeout=50', ...args], {
          out: () => undefined,
          err: (text) => {
            err += text;
          },
        });
        expect([0, 1, 2]).toContain(status);
        if (status === 1) expect(err).toMatch(/^ovs-vsctl: .+$/m);
        expect(err).not.toMatch(/internal error|undefined|\[object/);
      }),
      { numRuns: RUNS },
    );
  }, 300_000);
});
