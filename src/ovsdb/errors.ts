import { type ErrorEntry, OkoError } from '../bytes/index.ts';
import { printJson } from './json/text.ts';
import type { Json, JsonObject } from './json/value.ts';

interface OvsdbErrorEntry extends ErrorEntry {
  /** The `error` member by which the error goes over the wire (RFC 7047 section 3.1); without one it stays in process. */
  readonly wire?: string;
}

export const OVSDB_ERRORS = {
  OVSDB_SYNTAX: {
    wire: 'syntax error',
    meaning: 'A request, schema or value does not have the shape that RFC 7047 gives it.',
    remedy: 'Compare the JSON in the error with the section of RFC 7047 for that operation.',
  },
  OVSDB_UNKNOWN_DATABASE: {
    wire: 'unknown database',
    meaning: 'The server has no database of that name.',
    remedy: 'Ask for the names with list_dbs.',
  },
  OVSDB_UNKNOWN_COLUMN: {
    wire: 'unknown column',
    meaning: 'The table has no column of that name.',
    remedy: 'Look the table up in the schema (get_schema).',
  },
  OVSDB_UNKNOWN_FUNCTION: {
    wire: 'unknown function',
    meaning: 'A condition uses a function that OVSDB does not have.',
    remedy: 'Use one of <, <=, ==, !=, >=, >, includes, excludes.',
  },
  OVSDB_UNKNOWN_MUTATOR: {
    wire: 'unknown mutator',
    meaning: 'A mutation uses a mutator that OVSDB does not have.',
    remedy: 'Use one of +=, -=, *=, /=, %=, insert, delete.',
  },
  OVSDB_CONSTRAINT: {
    wire: 'constraint violation',
    meaning:
      'The result would break a constraint of the schema (range, enum, length, size, index, row limit, immutability).',
    remedy: 'Choose a value that the schema allows, as the message says.',
  },
  OVSDB_REFERENTIAL_INTEGRITY: {
    wire: 'referential integrity violation',
    meaning: 'A strong reference would point to a row that does not exist.',
    remedy: 'Insert the row in the same transaction, or remove the references together with the row.',
  },
  OVSDB_DUPLICATE_ELEMENT: {
    wire: 'ovsdb error',
    meaning: 'A set or map names one element or key twice.',
    remedy: 'Name each element once.',
  },
  OVSDB_DUPLICATE_UUID_NAME: {
    wire: 'duplicate uuid-name',
    meaning: 'Two inserts of one transaction use the same uuid-name.',
    remedy: 'Give each inserted row a name of its own.',
  },
  OVSDB_DUPLICATE_UUID: {
    wire: 'duplicate uuid',
    meaning: 'An insert asks for a UUID that a row of the table has, or had before this transaction deleted it.',
    remedy: 'Choose another UUID, or leave the choice to the server.',
  },
  OVSDB_DOMAIN: {
    wire: 'domain error',
    meaning: 'A mutation divides by zero.',
    remedy: 'Divide by something else.',
  },
  OVSDB_RANGE: {
    wire: 'range error',
    meaning: 'The result of a mutation does not fit the column: beyond 64 bits, or not a finite number.',
    remedy: 'Use a smaller operand.',
  },
  OVSDB_TIMED_OUT: {
    wire: 'timed out',
    meaning: 'A wait operation did not come true in its time.',
    remedy: 'Look at the rows again and send the transaction anew, or wait longer.',
  },
  OVSDB_ABORTED: {
    wire: 'aborted',
    meaning: 'The transaction asked to be aborted.',
    remedy: 'Nothing is wrong: an abort operation does this.',
  },
  OVSDB_NOT_OWNER: {
    wire: 'not owner',
    meaning: 'The transaction asserts a lock that its session does not hold.',
    remedy: 'Take the lock first and wait for the "locked" notification.',
  },
  OVSDB_NOT_ALLOWED: {
    wire: 'not allowed',
    meaning: 'The operation is not allowed on this database.',
    remedy: 'The _Server database is kept by the server itself; only read it.',
  },
  OVSDB_NOT_SUPPORTED: {
    wire: 'not supported',
    meaning: 'The method exists in OVSDB, but this server refuses it.',
    remedy: 'Convert or remove databases offline with ovsdb-tool, while the server is stopped.',
  },
  OVSDB_RESOURCES: {
    wire: 'resources exhausted',
    meaning: 'A limit of the server is reached.',
    remedy: 'Close what is no longer needed, or raise the limit that the message names.',
  },
  OVSDB_IO: {
    wire: 'I/O error',
    meaning: 'The database file could not be written; the transaction was not committed.',
    remedy: 'Make room on the file system or mend it, then send the transaction again.',
  },
  OVSDB_SCHEMA: {
    meaning: 'A database schema is not valid.',
    remedy: 'Mend the schema as the message says (RFC 7047 section 3.2).',
  },
  OVSDB_MESSAGE_TOO_BIG: {
    meaning: 'A peer sent a JSON-RPC message beyond the size limit; the connection was closed.',
    remedy: 'Send smaller transactions, or raise maxMessageBytes.',
  },
  OVSDB_MESSAGE_TOO_DEEP: {
    meaning: 'A peer sent JSON nested beyond the limit; the connection was closed.',
    remedy: 'OVSDB messages nest a dozen levels at most; mend the peer.',
  },
  OVSDB_PROTOCOL: {
    meaning: 'A peer sent something that is not a JSON-RPC 1.0 message; the connection was closed.',
    remedy: 'Check that the peer speaks OVSDB (RFC 7047 section 4), without TLS on a tcp: or unix: remote.',
  },
  OVSDB_REMOTE: {
    meaning: 'A remote is not written as a connection method, or it cannot be opened.',
    remedy: 'Write punix:PATH, ptcp:PORT[:HOST], pssl:PORT[:HOST], unix:PATH, tcp:HOST[:PORT] or ssl:HOST[:PORT].',
  },
  OVSDB_DISCONNECTED: {
    meaning: 'The connection to the database was lost before the answer came.',
    remedy: 'Wait for the client to reconnect, look at the rows, and send the transaction again if it is still needed.',
  },
  OVSDB_REJECTED: {
    meaning: 'The database server answered a request with an error.',
    remedy: 'The message holds what the server said.',
  },
  OVSDB_VALUE_TEXT: {
    meaning: 'A value on a command line is not written as ovs-vsctl(8) says under "Database Values".',
    remedy:
      'Write sets as [a,b], maps as {k=v}, and put strings with other than letters and digits into double quotes.',
  },
  OVSDB_FILE_CORRUPT: {
    meaning: 'A record in the middle of a database file is damaged.',
    remedy: 'See "Recovery" in docs/ovsdb.md: keep a copy, then cut the file at the offset that the message names.',
  },
  OVSDB_FILE_SCHEMA: {
    meaning: 'A database file holds another database or another schema than expected.',
    remedy:
      'Convert the file with "ovsdb-tool convert FILE /usr/share/openvswitch/vswitch.ovsschema" (package openvswitch-common), or name the right file.',
  },
  OVSDB_FILE_LOCKED: {
    meaning: 'Another process has the database file open.',
    remedy: 'Stop the process that the message names, or use another file.',
  },
  OVSDB_FILE_ACCESS: {
    meaning: 'A database file cannot be opened, created or read.',
    remedy: 'Check the path, the permissions and the file system.',
  },
} as const satisfies Record<string, OvsdbErrorEntry>;

export type OvsdbErrorCode = keyof typeof OVSDB_ERRORS;

/** Everything that goes wrong in this room. `message` is what the wire calls `details`. */
export class OvsdbError extends OkoError<OvsdbErrorCode> {
  /** The JSON at fault, when there is any. */
  readonly syntax: Json | undefined;

  constructor(code: OvsdbErrorCode, message: string, options: ErrorOptions & { readonly syntax?: Json } = {}) {
    super(code, message, options);
    this.syntax = options.syntax;
  }

  /** The `<error>` object of RFC 7047 section 3.1. */
  toJson(): JsonObject {
    const json: JsonObject = { error: wireName(this.code) ?? 'internal error', details: this.message };
    if (this.syntax !== undefined) json.syntax = printJson(this.syntax);
    return json;
  }
}

/** The `error` member of the errors with that code; undefined for those that stay in process. */
export function wireName(code: OvsdbErrorCode): string | undefined {
  const entry: OvsdbErrorEntry = OVSDB_ERRORS[code];
  return entry.wire;
}

/** What a client is told. A defect of ours fails its one request, as "internal error" (ovsdb-server(7), section 3.1). */
export function wireError(error: unknown): JsonObject {
  return error instanceof OvsdbError ? error.toJson() : { error: 'internal error', details: String(error) };
}
