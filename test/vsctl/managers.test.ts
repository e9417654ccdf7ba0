import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runVsctl } from '../../src/cli/vsctl/run-vsctl.ts';
import { Authority, type Identity, opensslMissing } from '../support/certificates.ts';
import { clientsMissing, eventually, TestVswitchd } from '../support/vswitchd.ts';

const missing = clientsMissing() ?? opensslMissing();

// set-ssl and set-manager by oko vsctl, and Debian's ovsdb-client where they say.
describe.skipIf(missing !== undefined)(`managers of the daemon${missing ? ` (${missing})` : ''}`, () => {
  const oko = new TestVswitchd();
  let us: Identity;
  let them: Identity;
  let stranger: Identity;

  beforeAll(async () => {
    const authority = new Authority(oko.folder, 'ours');
    us = authority.issue('switch');
    them = authority.issue('client');
    stranger = new Authority(oko.folder, 'other').issue('stranger');
    await oko.start();
    await vsctl('set-ssl', us.key, us.cert, us.ca);
  }, 300_000);

  afterAll(() => oko.remove());

  async function vsctl(...words: string[]): Promise<string> {
    let [out, err] = ['', ''];
    const status = await runVsctl([`--db=unix:${oko.folder}/db.sock`, '--timeout=50', ...words], {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    expect({ status, err }).toEqual({ status: 0, err: '' });
    return out;
  }

  function client(identity: Identity, remote: string) {
    const files = ['-p', identity.key, '-c', identity.cert, '-C', us.ca];
    return oko.run('ovsdb-client', '--timeout=30', ...files, 'list-dbs', remote);
  }

  it.each(['tcp', 'ssl'])(
    'p%s: are listened on, for those whom the authority has signed',
    async (kind) => {
      const port = await freePort();
      await vsctl('set-manager', `p${kind}:${port}:127.0.0.1`);
      // The daemon opens it when it has seen the row, which is before cur_cfg or soon after.
      await eventually(async () => (await client(them, `${kind}:127.0.0.1:${port}`)).status === 0, 'a client gets in');
      const { stdout } = await client(them, `${kind}:127.0.0.1:${port}`);
      expect(stdout).toBe('Open_vSwitch\n_Server\n');
      if (kind === 'ssl') expect((await client(stranger, `ssl:127.0.0.1:${port}`)).status).not.toBe(0);
      await vsctl('del-manager');
      await eventually(
        async () => (await client(them, `${kind}:127.0.0.1:${port}`)).status !== 0,
        'it is closed again',
      );
    },
    120_000,
  );

  it.each(['tcp', 'ssl'])(
    '%s: are called, and are served when they answer',
    async (kind) => {
      const port = await freePort();
      await vsctl('set-manager', `${kind}:127.0.0.1:${port}`);
      const { status, stdout } = await client(them, `p${kind}:${port}:127.0.0.1`);
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'Open_vSwitch\n_Server\n' });
      await vsctl('del-manager');
    },
    120_000,
  );
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
