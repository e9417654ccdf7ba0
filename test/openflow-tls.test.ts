import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TargetStatus } from '../src/ofproto/index.ts';
import { Authority, type Identity, opensslMissing, readIdentity } from './support/certificates.ts';
import { stop } from './support/namespaces.ts';
import { OpenflowSwitch, runOfctl } from './support/openflow-switch.ts';

const peers = ['/usr/bin/ovs-ofctl', '/usr/bin/ovs-testcontroller'].find((path) => !existsSync(path));
const missing = opensslMissing() ?? (peers === undefined ? undefined : `needs ${peers}`);

describe.skipIf(missing !== undefined)(`OpenFlow over TLS (${missing ?? 'Debian’s peers are here'})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'oko-tls-'));
  const children: ChildProcess[] = [];
  let [switchFiles, peerFiles, strangerFiles]: Identity[] = [];
  let ours: OpenflowSwitch;

  beforeAll(() => {
    const authority = new Authority(folder, 'authority');
    switchFiles = authority.issue('switch');
    peerFiles = authority.issue('peer');
    strangerFiles = new Authority(folder, 'other').issue('stranger');
  });
  beforeEach(() => {
    ours = new OpenflowSwitch();
  });
  afterEach(async () => {
    for (const child of children.splice(0).reverse()) await stop(child);
    await ours.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const show = (port: number | undefined, { key, cert, ca }: Identity) =>
    runOfctl([`--private-key=${key}`, `--certificate=${cert}`, `--ca-cert=${ca}`, 'show', `ssl:127.0.0.1:${port}`]);

  /** Debian's controller on a port of its own. */
  const startController = async ({ key, cert, ca }: Identity, ...more: readonly string[]): Promise<string> => {
    const port = await freePort();
    const files = [`--private-key=${key}`, `--certificate=${cert}`, `--ca-cert=${ca}`, ...more];
    const args = [`--unixctl=${join(ours.folder, 'ctl')}`, ...files, `pssl:${port}:127.0.0.1`];
    children.push(spawn('ovs-testcontroller', args, { stdio: 'ignore' }));
    return `ssl:127.0.0.1:${port}`;
  };
  const status = async (holds: (status: TargetStatus) => boolean): Promise<TargetStatus> => {
    for (let i = 0; i < 3000 && !ours.controllers.status().some(holds); i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const [found] = ours.controllers.status();
    expect(holds(found), JSON.stringify(found)).toBe(true);
    return found;
  };

  describe('to our pssl:', () => {
    it('ovs-ofctl comes with a certificate of the authority, and nobody else', async () => {
      ours.controllers.setTls(readIdentity(switchFiles));
      const port = await ours.controllers.add('pssl:0:127.0.0.1');
      const shown = await show(port, peerFiles);
      expect(shown.stderr).toBe('');
      expect(shown.stdout).toContain('dpid:000000000000002a');
      const refused = await show(port, { ...strangerFiles, ca: switchFiles.ca });
      expect([refused.status, refused.stdout]).toEqual([1, '']);
      const mistrusted = await show(port, { ...peerFiles, ca: strangerFiles.ca });
      expect(mistrusted.stderr).toMatch(/certificate verify failed|Protocol error/);
      const plain = await runOfctl(['show', `tcp:127.0.0.1:${port}`]);
      expect(plain.status).toBe(1);
      expect((await show(port, peerFiles)).status, 'the listener goes on').toBe(0);
      ours.controllers.setTls(readIdentity(strangerFiles));
      expect((await show(port, peerFiles)).status, 'another identity counts at once').toBe(1);
      expect((await show(port, strangerFiles)).status).toBe(0);
    });

    it('nothing is offered without an identity, or with one that is none', async () => {
      await expect(ours.controllers.add('pssl:0')).rejects.toThrow(
        /^cannot listen on pssl:0: it needs a private key, a certificate and the certificate of an authority/,
      );
      ours.controllers.setTls({ ...readIdentity(switchFiles), key: 'no key' });
      await expect(ours.controllers.add('pssl:0')).rejects.toThrow(
        /^cannot listen on pssl:0: the key or a certificate cannot be used/,
      );
      await ours.controllers.add('ssl:127.0.0.1:1');
      expect(ours.controllers.status()[0].lastError).toMatch(/^the key or a certificate cannot be used/);
      await ours.controllers.remove('ssl:127.0.0.1:1');
      expect(ours.controllers.status()).toEqual([]);
    });
  });

  describe('from our ssl:', () => {
    it('to ovs-testcontroller, which then drives the switch', async () => {
      const target = await startController(peerFiles);
      ours.controllers.setTls(readIdentity(switchFiles));
      await ours.controllers.add(target, { maxBackoffMs: 1000 });
      expect(await status(({ isConnected }) => isConnected)).toMatchObject({ target, state: 'ACTIVE' });
      await untilTrue(() => ours.bridge.flows().length > 0);
    });

    it('not to a controller of another authority, which its status says', async () => {
      const target = await startController(strangerFiles);
      ours.controllers.setTls(readIdentity(switchFiles));
      await ours.controllers.add(target, { maxBackoffMs: 1000 });
      const failed = await status(({ lastError }) => lastError !== undefined && lastError !== 'Connection refused');
      expect(failed.lastError).toMatch(/certificate/);
      expect(failed.isConnected).toBe(false);
    });

    it('learns the authority from the first controller, and then holds to it', async () => {
      const target = await startController(peerFiles, `--peer-ca-cert=${peerFiles.ca}`);
      const { key, cert } = readIdentity(switchFiles);
      let learnt: string | undefined;
      const learnCa = (ca: string): void => {
        learnt = ca;
        ours.controllers.setTls({ key, cert, ca });
      };
      ours.controllers.setTls({ key, cert, learnCa });
      await ours.controllers.add(target, { maxBackoffMs: 1000 });
      await status(({ isConnected }) => isConnected);
      expect(learnt).toBe(readFileSync(peerFiles.ca, 'utf8'));
    });

    it('learns nothing from one that does not send its authority along', async () => {
      const { key, cert } = readIdentity(switchFiles);
      const server = createTlsServer({ ...readIdentity(peerFiles), ca: [] }, () => undefined);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      let learnt = false;
      ours.controllers.setTls({
        ...{ key, cert },
        learnCa: () => {
          learnt = true;
        },
      });
      const { port } = server.address() as AddressInfo;
      await ours.controllers.add(`ssl:127.0.0.1:${port}`, { maxBackoffMs: 1000 });
      await status(({ lastError }) => lastError === 'the controller sends no certificate of its authority');
      expect(learnt).toBe(false);
      await new Promise((resolve) => server.close(resolve));
    });

    it('is refused without an identity', async () => {
      await expect(ours.controllers.add('ssl:127.0.0.1')).rejects.toThrow(
        'controller "ssl:127.0.0.1" needs a private key and certificates',
      );
    });
  });
});

async function untilTrue(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
