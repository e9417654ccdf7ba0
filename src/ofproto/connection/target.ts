import { isIP } from 'node:net';
import { OfprotoError } from '../errors.ts';

/** The port that IANA gave OpenFlow. */
export const OPENFLOW_PORT = 6653;

/** Where a controller is, or where the switch waits for one; the syntax of ovs-vswitchd.conf.db(5), table Controller. */
export type Target = ActiveTarget | PassiveTarget;

export type ActiveTarget =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

export type PassiveTarget =
  | { readonly kind: 'punix'; readonly path: string }
  | { readonly kind: 'ptcp' | 'pssl'; readonly host: string | undefined; readonly port: number };

/** The longest path of a Unix domain socket (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** @throws OfprotoError OFPROTO_BAD_TARGET */
export function parseTarget(text: string): Target {
  const [, kind, rest] = /^(punix|unix|ptcp|tcp|pssl|ssl):(.*)$/s.exec(text) ?? [];
  switch (kind) {
    case 'unix':
    case 'punix':
      if (rest === '') throw refuse(text, 'a path is needed');
      if (Buffer.byteLength(rest) > MAX_SOCKET_PATH)
        throw refuse(text, `the path of a socket has at most ${MAX_SOCKET_PATH} bytes`);
      return { kind, path: rest };
    case 'tcp':
    case 'ssl':
      return { kind, ...hostAndPort(text, rest) };
    case 'ptcp':
    case 'pssl': {
      const [, port, host] = /^([0-9]*)(?::(.+))?$/s.exec(rest) ?? [];
      if (port === undefined) throw refuse(text, `expected ${kind}:[PORT][:HOST]`);
      return { kind, host: host === undefined ? undefined : withoutBrackets(host), port: portNumber(text, port) };
    }
    default:
      throw refuse(text, 'expected tcp:, ssl:, unix:, ptcp:, pssl: or punix:');
  }
}

export function isPassive(target: Target): target is PassiveTarget {
  return target.kind === 'punix' || target.kind === 'ptcp' || target.kind === 'pssl';
}

function hostAndPort(text: string, rest: string): { host: string; port: number } {
  if (isIP(rest) === 6) return { host: rest, port: OPENFLOW_PORT };
  const [, host, port] = /^(\[[^\]]+\]|[^:[\]]+)(?::([0-9]+))?$/.exec(rest) ?? [];
  if (host === undefined) throw refuse(text, 'expected HOST[:PORT], with brackets round an IPv6 address');
  return { host: withoutBrackets(host), port: portNumber(text, port ?? '') };
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/s, '$1');
}

function portNumber(text: string, digits: string): number {
  const port = digits === '' ? OPENFLOW_PORT : Number(digits);
  if (port > 65_535) throw refuse(text, `port ${digits} is above 65535`);
  return port;
}

function refuse(text: string, why: string): OfprotoError {
  return new OfprotoError('OFPROTO_BAD_TARGET', `controller "${text}": ${why}`);
}
