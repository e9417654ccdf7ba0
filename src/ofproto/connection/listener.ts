import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions, Server as TlsServer } from 'node:tls';
import { OfprotoError } from '../errors.ts';
import type { PassiveTarget } from './target.ts';
import { secureContext, type TlsIdentity } from './tls-identity.ts';

/** The owner and the group may connect. */
const SOCKET_MODE = 0o770;
/** At once by one listener; further peers are refused. */
const MAX_PEERS = 1024;

/** Waits for peers on a socket. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The TCP port, also where the kernel chose it; 0 for a Unix domain socket. */
  port = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.maxConnections = MAX_PEERS;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Rejects with OfprotoError OFPROTO_CANNOT_LISTEN. */
  static async open(target: PassiveTarget, accept: (socket: Socket) => void, tls?: TlsIdentity): Promise<Listener> {
    const isTls = target.kind === 'pssl';
    const context = isTls ? contextOf(target, tls) : undefined;
    const server =
      context === undefined
        ? createServer({ noDelay: true })
        : createTlsServer({ ...context, requestCert: true, rejectUnauthorized: true });
    const listener = new Listener(server);
    server.on(isTls ? 'secureConnection' : 'connection', accept);
    if (target.kind === 'punix') removeStaleSocket(target.path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(target, error.message)));
      server.listen(
        target.kind === 'punix' ? { path: target.path } : { host: target.host, port: target.port },
        resolve,
      );
    });
    server.removeAllListeners('error');
    // Out of descriptors, for one: this peer is lost, the listener goes on.
    server.on('error', () => undefined);
    if (target.kind === 'punix') chmodSync(target.path, SOCKET_MODE);
    const address = server.address();
    if (typeof address === 'object' && address !== null) listener.port = address.port;
    return listener;
  }

  /** Another identity for those who come from now on; pssl: only. @throws OfprotoError OFPROTO_CANNOT_LISTEN */
  setTls(target: PassiveTarget, tls: TlsIdentity | undefined): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(contextOf(target, tls));
  }

  /** Stops waiting, and ends what came this way. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function contextOf(target: PassiveTarget, tls: TlsIdentity | undefined): SecureContextOptions {
  if (tls?.ca === undefined)
    throw cannotListen(target, 'it needs a private key, a certificate and the certificate of an authority');
  try {
    secureContext(tls);
  } catch (error) {
    throw cannotListen(target, error instanceof Error ? error.message : String(error));
  }
  const [key, cert, ca] = [tls.key, tls.cert, tls.ca].map((pem) => Buffer.from(pem));
  return { key, cert, ca };
}

/** A socket outlives the process that made it; what is no socket is not ours to remove. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}

function cannotListen(target: PassiveTarget, why: string): OfprotoError {
  const where = target.kind === 'punix' ? target.path : `${target.port}${target.host ? `:${target.host}` : ''}`;
  return new OfprotoError('OFPROTO_CANNOT_LISTEN', `cannot listen on ${target.kind}:${where}: ${why}`);
}
