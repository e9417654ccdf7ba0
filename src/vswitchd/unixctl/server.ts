import { unlinkSync } from 'node:fs';
import { type ConnectionHandlers, type FramingLimits, type Json, Listener, RpcConnection } from '../../ovsdb/index.ts';
import type { CommandRegistry } from './command-registry.ts';
import { UnixctlError } from './errors.ts';

/** A command line is no longer than that: a packet of 64 KiB in hexadecimal digits, some hundred times. */
const LIMITS: FramingLimits = { maxMessageBytes: 16 * 1024 * 1024, maxDepth: 8 };
const MAX_CLIENTS = 256;

/**
 * The socket of ovs-appctl: bare JSON-RPC 1.0, the method a command, its parameters strings, the result a text; errors
 * are texts too. Commands of one client are carried out one after the other. A client that sends anything else is
 * dropped, and nobody else notices.
 */
export class UnixctlServer {
  readonly path: string;
  readonly #registry: CommandRegistry;
  #listener: Listener | undefined;
  /** Answers that are still to be given. */
  readonly #pending = new Set<Promise<void>>();

  private constructor(path: string, registry: CommandRegistry) {
    this.path = path;
    this.#registry = registry;
  }

  /** Listens on the Unix socket `path`. Rejects with OvsdbError OVSDB_REMOTE. */
  static async open(path: string, registry: CommandRegistry): Promise<UnixctlServer> {
    const server = new UnixctlServer(path, registry);
    server.#listener = await Listener.open(
      { kind: 'punix', path },
      `unixctl ${path}`,
      (transport) => {
        const handlers: ConnectionHandlers = {
          request: (method, params, id) => {
            // The next one waits until this one is answered, as its answer may be what the client waits for.
            connection.pause();
            const answer = server.#answer(connection, method, params, id).finally(() => {
              server.#pending.delete(answer);
              connection.resume();
            });
            server.#pending.add(answer);
          },
          notification: () => connection.close(),
          drained: () => undefined,
          closed: () => undefined,
        };
        const connection = new RpcConnection(transport, handlers, 0);
      },
      { limits: LIMITS, maxConnections: MAX_CLIENTS },
    );
    return server;
  }

  async #answer(connection: RpcConnection, name: string, params: readonly Json[], id: Json): Promise<void> {
    const args = params.filter((param): param is string => typeof param === 'string');
    if (args.length < params.length) {
      connection.replyError(id, `"${name}" command has a parameter that is not a string\n`);
      return;
    }
    try {
      connection.reply(id, asLines(await this.#registry.run(name, args)));
    } catch (error) {
      if (error instanceof UnixctlError) {
        connection.replyError(id, asLines(error.message));
        return;
      }
      connection.replyError(id, asLines(`"${name}" failed: ${error instanceof Error ? error.message : String(error)}`));
      // A defect of ours: it must be seen, yet a command must not end the switch.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  /** Gives the answers under way, stops listening, drops the clients and takes the socket away. */
  async close(): Promise<void> {
    await Promise.all(this.#pending);
    this.#registry.close();
    await this.#listener?.close();
    try {
      unlinkSync(this.path);
    } catch {
      // Node has removed it, or somebody else.
    }
  }
}

/** Texts end in a newline, unless they are empty. */
function asLines(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
