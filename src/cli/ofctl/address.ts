import { existsSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { parseTarget } from '../../ofproto/connection/target.ts';
import { CliError } from '../errors.ts';
import { runDirectory } from '../run-directory.ts';

/** Where a switch listens, and what messages call it. */
export interface ActiveAddress {
  readonly name: string;
  readonly socket: NetConnectOpts;
}

/** The address that a command's SWITCH argument means: a bridge's name, `unix:FILE` or `tcp:HOST[:PORT]`. */
export function switchAddress(text: string): ActiveAddress {
  if (!/^(unix|tcp|ssl|p?unix|p?tcp|pssl):/.test(text)) {
    const path = text.includes('/') ? text : join(runDirectory(), `${text}.mgmt`);
    if (!existsSync(path)) throw new CliError('CLI_CANNOT_CONNECT', `${text} is not a bridge or a socket (no ${path})`);
    return { name: text, socket: { path } };
  }
  const target = parseTarget(text);
  switch (target.kind) {
    case 'unix':
      return { name: text, socket: { path: target.path } };
    case 'tcp':
      return { name: text, socket: { host: target.host, port: target.port } };
    default:
      throw new CliError('CLI_BAD_ARGUMENT', `${text}: expected a bridge's name, unix:FILE or tcp:HOST[:PORT]`);
  }
}
