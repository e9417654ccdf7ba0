import { isIP } from 'node:net';
import { OvsdbError } from '../errors.ts';

/** The port that IANA gave OVSDB (RFC 7047 section 6). */
export const OVSDB_PORT = 6640;

/** A connection method of ovsdb(7), taken apart: one that connects, or one that listens. */
export type Remote = ActiveRemote | PassiveRemote;

export type ActiveRemote =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

export type PassiveRemote =
  | { readonly kind: 'punix'; readonly path: string }
  | { readonly kind: 'ptcp' | 'pssl'; readonly host: string | undefined; readonly port: number };

/** The longest path that the kernel takes for a Unix domain socket (sun_path of unix(7), less its final NUL). */
const MAX_SOCKET_PATH = 107;

/** Throws OvsdbError OVSDB_REMOTE. A relative path of a Unix socket is taken from `rundir`, when there is one. */
export function parseRemote(text: string, rundir?: string): Remote {
  const match = /^(punix|unix|ptcp|tcp|pssl|ssl):(.*)$/s.exec(text);
  if (!match) throw refuse(text, 'not a connection method');
  const [, kind, rest] = match;
  switch (kind) {
    case 'unix':
    case 'punix':
      return { kind, path: socketPath(text, rest, rundir) };
    case 'tcp':
    case 'ssl': {
      const [host, port] = splitHostAndPort(text, rest);
      if (host === undefined) throw refuse(text, 'a host is needed');
      return { kind, host, port };
    }
    default: {
      const [, portText, host] = /^([0-9]*)(?::(.*))?$/s.exec(rest) ?? [];
      if (portText === undefined) throw refuse(text, 'expected PORT[:HOST]');
      const bare = host === undefined || host === '' ? undefined : withoutBrackets(host);
      return { kind: kind as 'ptcp' | 'pssl', host: bare, port: parsePort(text, portText, 0) };
    }
  }
}

function socketPath(text: string, rest: string, rundir: string | undefined): string {
  if (rest === '') throw refuse(text, 'a path is needed');
  const path = rest.startsWith('/') || rundir === undefined ? rest : `${rundir}/${rest}`;
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw refuse(text, `the path of a Unix domain socket is limited to ${MAX_SOCKET_PATH} bytes`);
  return path;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. */
function splitHostAndPort(text: string, rest: string): [string | undefined, number] {
  if (isIP(rest) === 6) return [rest, OVSDB_PORT];
  const match = /^(\[[^\]]+\]|[^:[\]]+)(?::([0-9]+))?$/.exec(rest);
  if (!match) return [undefined, OVSDB_PORT];
  return [withoutBrackets(match[1]), parsePort(text, match[2] ?? '', 1)];
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/s, '$1');
}

/** `min` 0 lets a listener have a port chosen by the kernel. */
function parsePort(text: string, digits: string, min: 0 | 1): number {
  if (digits === '') return OVSDB_PORT;
  const port = Number(digits);
  if (port < min || port > 65535) throw refuse(text, `port ${digits} is not between ${min} and 65535`);
  return port;
}

function refuse(text: string, why: string): OvsdbError {
  return new OvsdbError('OVSDB_REMOTE', `remote "${text}": ${why}`);
}

export function isPassive(remote: Remote): remote is PassiveRemote {
  return remote.kind === 'punix' || remote.kind === 'ptcp' || remote.kind === 'pssl';
}
