import { OvsdbError } from '../errors.ts';
import { Members } from '../json/members.ts';
import { isArray, type Json } from '../json/value.ts';

/** The three messages of JSON-RPC 1.0, as RFC 7047 section 4 uses them. */
export type RpcMessage =
  | { readonly kind: 'request'; readonly id: Json; readonly method: string; readonly params: readonly Json[] }
  | { readonly kind: 'notification'; readonly method: string; readonly params: readonly Json[] }
  | { readonly kind: 'reply'; readonly id: Json; readonly result: Json; readonly error: Json };

/** Throws OvsdbError OVSDB_PROTOCOL. */
export function parseMessage(json: Json): RpcMessage {
  try {
    return parseMembers(new Members(json, 'a JSON-RPC message'));
  } catch (cause) {
    throw new OvsdbError('OVSDB_PROTOCOL', (cause as Error).message, { cause });
  }
}

function parseMembers(members: Members): RpcMessage {
  const id = members.optional('id', 'any') ?? null;
  const method = members.optional('method', 'string');
  if (method !== undefined) {
    const params = members.required('params', 'any');
    members.finish();
    // get_server_id has null params in ovsdb-server(7).
    if (params !== null && !isArray(params)) throw members.error('params must be an array');
    return id === null
      ? { kind: 'notification', method, params: params ?? [] }
      : { kind: 'request', id, method, params: params ?? [] };
  }
  const result = members.optional('result', 'any') ?? null;
  const error = members.optional('error', 'any') ?? null;
  members.finish();
  if (id === null) throw members.error('a reply must have an id');
  return { kind: 'reply', id, result, error };
}
