export { OvsdbClient, type OvsdbClientOptions, type RowEvent } from './client/client.ts';
export { Draft, DraftRow, defaultDatumOf, listedColumns } from './client/draft.ts';
export type { ClientTransaction, CommitResult, WritableRow } from './client/transaction.ts';
export { type Atom, type AtomicType, compareAtoms } from './data/atom.ts';
export { parseAtomText, printAtomText, type SymbolUuids } from './data/atom-text.ts';
export { type Datum, EMPTY as EMPTY_DATUM, equalData, findKey, mapDatum, scalarDatum, setDatum } from './data/datum.ts';
export { printDatum } from './data/datum-json.ts';
export { parseDatumText, printDatumBare, printDatumText } from './data/datum-text.ts';
export type { Row } from './data/row.ts';
export type { Changes, RowChange, Table } from './data/table.ts';
export { newUuid, parseUuid, type Uuid, ZERO_UUID } from './data/uuid.ts';
export { isDelimiter, takeWord } from './data/value-token.ts';
export { type CommitLog, Database, type DatabaseOptions } from './database.ts';
export { OVSDB_ERRORS, OvsdbError, type OvsdbErrorCode } from './errors.ts';
export { DatabaseFile, type DatabaseFileOptions } from './file/database-file.ts';
export { type FcntlLocks, loadFcntl } from './file/fcntl.ts';
export { loadFcntlLock } from './file/fcntl-lock.ts';
export type { FileLock, LockFile } from './file/lock.ts';
export { DEFAULT_FRAMING_LIMITS, type FramingLimits } from './json/framing.ts';
export { printJsonSorted } from './json/text.ts';
export type { Json, JsonObject } from './json/value.ts';
export { type ConnectionHandlers, RpcConnection } from './rpc/connection.ts';
export { dial } from './rpc/dial.ts';
export { Listener } from './rpc/listener.ts';
export {
  type ActiveRemote,
  isPassive,
  OVSDB_PORT,
  type PassiveRemote,
  parseRemote,
  type Remote,
} from './rpc/remote.ts';
export { StreamTransport } from './rpc/stream-transport.ts';
export type { Transport, TransportHandlers } from './rpc/transport.ts';
export type { BaseType } from './schema/base-type.ts';
export type { ColumnType } from './schema/column-type.ts';
export { compileSchema } from './schema/compile.ts';
export type { ColumnName, RowOf, SchemaDefinition, TableDefinition, TableName } from './schema/definition.ts';
export { openVswitch } from './schema/open-vswitch.ts';
export { type ColumnSchema, type DatabaseSchema, type TableSchema, UUID_COLUMN } from './schema/schema.ts';
export { parseSchema, printSchema } from './schema/schema-json.ts';
export { OvsdbServer, type OvsdbServerOptions, type ServedRemote } from './server/server.ts';
export { DEFAULT_SESSION_LIMITS, type SessionLimits } from './server/session.ts';
export type { PendingTransaction, TransactionRequest } from './transaction/pending.ts';
