export { OvsdbClient, type OvsdbClientOptions, type RowEvent } from './client/client.ts';
export type { ClientTransaction, CommitResult, WritableRow } from './client/transaction.ts';
export type { Atom, AtomicType } from './data/atom.ts';
export type { Datum } from './data/datum.ts';
export type { Row } from './data/row.ts';
export type { Changes, RowChange, Table } from './data/table.ts';
export { newUuid, parseUuid, type Uuid, ZERO_UUID } from './data/uuid.ts';
export {
  type CommitLog,
  Database,
  type DatabaseOptions,
  type PendingTransaction,
  type TransactionRequest,
} from './database.ts';
export { OVSDB_ERRORS, OvsdbError, type OvsdbErrorCode } from './errors.ts';
export { DatabaseFile, type DatabaseFileOptions } from './file/database-file.ts';
export { loadFcntlLock } from './file/fcntl-lock.ts';
export type { FileLock, LockFile } from './file/lock.ts';
export { DEFAULT_FRAMING_LIMITS, type FramingLimits } from './json/framing.ts';
export type { Json, JsonObject } from './json/value.ts';
export { type ActiveRemote, OVSDB_PORT, type PassiveRemote, parseRemote, type Remote } from './rpc/remote.ts';
export type { Transport, TransportHandlers } from './rpc/transport.ts';
export { compileSchema } from './schema/compile.ts';
export type { ColumnName, RowOf, SchemaDefinition, TableDefinition, TableName } from './schema/definition.ts';
export { openVswitch } from './schema/open-vswitch.ts';
export type { ColumnSchema, DatabaseSchema, TableSchema } from './schema/schema.ts';
export { parseSchema, printSchema } from './schema/schema-json.ts';
export { OvsdbServer, type OvsdbServerOptions, type ServedRemote } from './server/server.ts';
export { DEFAULT_SESSION_LIMITS, type SessionLimits } from './server/session.ts';
