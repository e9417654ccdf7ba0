import { readFileSync } from 'node:fs';
import {
  dial,
  isPassive,
  Listener,
  OvsdbClient,
  OvsdbError,
  openVswitch,
  type PassiveRemote,
  parseRemote,
  type Transport,
} from '../../ovsdb/index.ts';
import { runDirectory } from '../run-directory.ts';
import type { VsctlOptions } from './options.ts';
import { VsctlError } from './vsctl-error.ts';

export type VswitchClient = OvsdbClient<typeof openVswitch>;
type TlsFiles = VsctlOptions['tls'];

/** What strerror(3) says of the errors that connecting has. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  ENOTFOUND: 'No such file or directory',
  ETIMEDOUT: 'Connection timed out',
};
const NOT_A_METHOD = 'Address family not supported by protocol';

/**
 * A client of the database that is ready. Without `retries` the promise of `failed` rejects when connecting fails, and when
 * the connection is lost; with it the client goes on trying.
 */
export function openDatabase({ remote, retries, tls }: VsctlOptions): {
  client: VswitchClient;
  failed: Promise<never>;
} {
  const client = new OvsdbClient({ schema: openVswitch, connect: connector(remote, tls) });
  const failed = new Promise<never>((_resolve, reject) => {
    client.onState((error) => {
      if (!error || (retries && error.code !== 'OVSDB_REMOTE')) return;
      reject(new VsctlError(`${remote}: database connection failed (${reasonOf(error)})`));
    });
  });
  // Nobody need be waiting for it any more when it happens.
  failed.catch(() => undefined);
  client.start();
  return { client, failed };
}

function reasonOf(error: OvsdbError): string {
  if (error.code === 'OVSDB_REMOTE')
    return error.message.includes('not a connection method') ? NOT_A_METHOD : error.message;
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return REASONS[String(cause.code)] ?? cause.message;
  return cause === undefined && error.message.includes('closed') ? 'End of file' : error.message;
}

/** Connects to the first of several remotes that answers, or waits for the server to connect. */
function connector(text: string, files: TlsFiles): () => Promise<Transport> {
  return async () => {
    const tls = readTls(files);
    let lastError: unknown;
    for (const one of text.split(/,(?=[a-z]+:)/)) {
      const remote = parseRemote(one, runDirectory());
      try {
        return await (isPassive(remote) ? accept(remote, one, tls) : dial(remote, one, { tls }));
      } catch (error) {
        lastError = error;
      }
    }
    throw lastError;
  };
}

/** Waits for a server to connect; whoever comes after it is turned away. */
function accept(remote: PassiveRemote, text: string, tls: ReturnType<typeof readTls>): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const opening = Listener.open(
      remote,
      text,
      (transport) => {
        resolve(transport);
        void opening.then((listener) => listener.stopListening());
      },
      { tls, maxConnections: 1 },
    );
    opening.catch(reject);
  });
}

function readTls({ key, cert, ca }: TlsFiles) {
  if (key === undefined && cert === undefined && ca === undefined) return undefined;
  const read = (file: string | undefined): Buffer | undefined => {
    if (file === undefined) return undefined;
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new OvsdbError('OVSDB_REMOTE', (cause as Error).message, { cause });
    }
  };
  if (ca === 'none') return { key: read(key), cert: read(cert), rejectUnauthorized: false };
  return { key: read(key), cert: read(cert), ca: read(ca) };
}
