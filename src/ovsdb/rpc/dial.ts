import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type SecureContextOptions } from 'node:tls';
import { OvsdbError } from '../errors.ts';
import type { FramingLimits } from '../json/framing.ts';
import type { ActiveRemote } from './remote.ts';
import { StreamTransport } from './stream-transport.ts';

export interface DialOptions {
  /** Private key, certificate and CA certificate, for ssl: remotes. Peers must be signed by the CA. */
  readonly tls?: SecureContextOptions;
  /** Milliseconds until a connection must stand. */
  readonly timeoutMs?: number;
  readonly limits?: FramingLimits;
}

const DIAL_TIMEOUT_MS = 10_000;

/** Connects to an active remote (unix:, tcp:, ssl:). Rejects with OvsdbError OVSDB_DISCONNECTED or OVSDB_REMOTE. */
export function dial(remote: ActiveRemote, text: string, options: DialOptions = {}): Promise<StreamTransport> {
  return new Promise((resolve, reject) => {
    const [socket, readyEvent] = createSocket(remote, text, options);
    const refuse = (why: string, cause?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new OvsdbError('OVSDB_DISCONNECTED', `${text}: ${why}`, { cause }));
    };
    const timeoutMs = options.timeoutMs ?? DIAL_TIMEOUT_MS;
    const timer = setTimeout(() => refuse(`no connection in ${timeoutMs} ms`), timeoutMs);
    const fail = (cause: Error): void => refuse(cause.message, cause);
    socket.once('error', fail);
    socket.once(readyEvent, () => {
      clearTimeout(timer);
      const transport = new StreamTransport(socket, text, options.limits);
      socket.off('error', fail);
      resolve(transport);
    });
  });
}

function createSocket(remote: ActiveRemote, text: string, { tls }: DialOptions): [Socket, string] {
  switch (remote.kind) {
    case 'unix':
      return [connectTcp({ path: remote.path }), 'connect'];
    case 'tcp':
      return [connectTcp({ host: remote.host, port: remote.port, noDelay: true }), 'connect'];
    case 'ssl':
      if (!tls)
        throw new OvsdbError('OVSDB_REMOTE', `${text}: an ssl: remote needs a key, a certificate and a CA certificate`);
      // Certificates of Open vSwitch's PKI name no hosts: what counts is that our CA signed them.
      return [
        connectTls({ ...tls, host: remote.host, port: remote.port, checkServerIdentity: () => undefined }),
        'secureConnect',
      ];
  }
}
