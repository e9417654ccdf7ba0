import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions } from 'node:tls';
import { OvsdbError } from '../errors.ts';
import type { FramingLimits } from '../json/framing.ts';
import type { PassiveRemote } from './remote.ts';
import { StreamTransport } from './stream-transport.ts';

export interface ListenOptions {
  /** Private key, certificate and CA certificate, for pssl: remotes. Clients must be signed by the CA. */
  readonly tls?: SecureContextOptions;
  readonly limits?: FramingLimits;
  /** Another is closed at once; those count too that have not shown their certificate yet. */
  readonly maxConnections?: number;
}

/** A client that has connected but not yet shown its certificate may take this long. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const SOCKET_MODE = 0o770;

/** A socket on which clients connect. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The TCP port, also when the kernel chose it; 0 for a Unix socket. */
  port = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on `remote`; `accept` is called with each client. Rejects with OvsdbError OVSDB_REMOTE. */
  static async open(
    remote: PassiveRemote,
    text: string,
    accept: (transport: StreamTransport) => void,
    options: ListenOptions = {},
  ): Promise<Listener> {
    const server = createServer(remote, text, options);
    if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
    const listener = new Listener(server);
    let count = 0;
    server.on('connection', (socket: Socket) => {
      listener.#sockets.add(socket);
      socket.once('close', () => listener.#sockets.delete(socket));
    });
    server.on(remote.kind === 'pssl' ? 'secureConnection' : 'connection', (socket: Socket) => {
      const from = socket.remoteAddress === undefined ? `#${count++}` : `${socket.remoteAddress}:${socket.remotePort}`;
      accept(new StreamTransport(socket, `${text}<${from}>`, options.limits));
    });
    if (remote.kind === 'punix') removeStaleSocket(remote.path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new OvsdbError('OVSDB_REMOTE', `${text}: ${cause.message}`, { cause })));
      server.listen(
        remote.kind === 'punix' ? { path: remote.path } : { host: remote.host, port: remote.port },
        resolve,
      );
    });
    server.removeAllListeners('error');
    // Out of file descriptors or the like: the client is lost, the listener goes on.
    server.on('error', () => undefined);
    if (remote.kind === 'punix') chmodSync(remote.path, SOCKET_MODE);
    const address = server.address();
    if (typeof address === 'object' && address) listener.port = address.port;
    return listener;
  }

  /** Takes no more clients; those that there are stay. */
  stopListening(): void {
    this.#server.close();
  }

  /** Stops listening and drops the clients. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function createServer(remote: PassiveRemote, text: string, { tls }: ListenOptions): Server {
  if (remote.kind !== 'pssl') return createTcpServer({ noDelay: true });
  if (!tls)
    throw new OvsdbError('OVSDB_REMOTE', `${text}: a pssl: remote needs a key, a certificate and a CA certificate`);
  const server = createTlsServer({
    ...tls,
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** A socket file outlives its server; one that is no socket is not ours to remove. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}
