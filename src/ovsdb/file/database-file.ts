import {
  closeSync,
  fsync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type CommitLog, Database } from '../database.ts';
import { OvsdbError } from '../errors.ts';
import { printJson, printJsonSorted } from '../json/text.ts';
import type { Json, JsonObject } from '../json/value.ts';
import { compileSchema } from '../schema/compile.ts';
import type { DatabaseSchema } from '../schema/schema.ts';
import { parseSchema, printSchema } from '../schema/schema-json.ts';
import type { FileLock, LockFile } from './lock.ts';
import { LogFile } from './log-file.ts';
import { badRecord, readLog } from './log-reader.ts';
import { frame } from './record-frame.ts';
import { snapshotRecord } from './snapshot.ts';

export interface DatabaseFileOptions {
  /** The schema that the file must hold; and with which it is created when it does not exist. */
  readonly schema?: DatabaseSchema;
  /** Keeps other processes from opening the file; see `loadFcntlLock`. */
  readonly lock?: LockFile;
  /** Told in a sentence of what an operator should know: a torn record dropped, a compaction failed. */
  readonly onNotice?: (text: string) => void;
  /** The file is compacted when it is longer than this and than four times its length after the last compaction. */
  readonly compactAboveBytes?: number;
}

const COMPACT_ABOVE_BYTES = 10 * 1024 * 1024;
const COMPACT_GROWTH = 4;
const FILE_MODE = 0o640;

/** A database kept in a file of the OVSDB log format, ovsdb(5), which Open vSwitch's own tools read too. */
export class DatabaseFile implements CommitLog {
  readonly database: Database;
  readonly #options: DatabaseFileOptions;
  readonly #lock: FileLock | undefined;
  #file: LogFile;
  #compactedSize: number;
  #compaction: Promise<void> | undefined;
  /** While the file is being compacted: the frames that the new file does not have yet. */
  #tail: Buffer[][] | undefined;
  /** A compaction has been asked for because of the file's length. */
  #isDue = false;
  /** What the system has of the file is uncertain after a failed sync: the next commit writes it anew first. */
  #isSuspect = false;

  private constructor(database: Database, file: LogFile, lock: FileLock | undefined, options: DatabaseFileOptions) {
    this.database = database;
    this.#file = file;
    this.#lock = lock;
    this.#options = options;
    this.#compactedSize = file.size;
    database.attachLog(this);
  }

  /**
   * Opens the database file at `path`, or creates it with the schema in the options. Throws OvsdbError with the codes
   * OVSDB_FILE_CORRUPT, OVSDB_FILE_SCHEMA, OVSDB_FILE_LOCKED, OVSDB_FILE_ACCESS, OVSDB_SCHEMA.
   */
  static open(path: string, options: DatabaseFileOptions = {}): DatabaseFile {
    const realPath = resolveLinks(path);
    const lock = options.lock?.(realPath);
    try {
      if (!statSync(realPath, { throwIfNoEntry: false })) createLog(realPath, options.schema);
      const bytes = access(realPath, () => readFileSync(realPath));
      const contents = readLog(bytes, realPath);
      const schema = checkSchema(contents.schema, realPath, options.schema);
      const database = new Database(schema);
      for (const { offset, json } of contents.records) replay(database, json, realPath, offset);
      const fd = access(realPath, () => openSync(realPath, 'r+'));
      const file = new LogFile(realPath, fd, contents.end + contents.tornBytes);
      if (contents.tornBytes > 0) {
        file.takeBack(contents.tornBytes);
        options.onNotice?.(
          `${realPath}: the last record, ${contents.tornBytes} bytes from offset ${contents.end} on, was not written to its end and was dropped`,
        );
      }
      return new DatabaseFile(database, file, lock, options);
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#file.size;
  }

  append(record: JsonObject, isDurable: boolean): Promise<void> | undefined {
    if (this.#isSuspect) return this.#startCompaction().then(() => this.append(record, isDurable));
    const framed = frame([Buffer.from(`${printJson(record)}\n`)]);
    const file = this.#file;
    const sizeBefore = file.size;
    file.append(framed);
    this.#tail?.push(framed);
    this.#compactWhenDue();
    return isDurable ? this.#sync(file, file.size - sizeBefore) : undefined;
  }

  async #sync(file: LogFile, bytes: number): Promise<void> {
    // A file that is about to replace this one gets the record too, and has it on the medium when its compaction is over.
    const compaction = this.#compaction?.then(
      () => true,
      () => false,
    );
    try {
      await file.sync();
    } catch (error) {
      if (await compaction) return;
      this.#isSuspect = true;
      file.takeBack(bytes);
      throw error;
    }
    await compaction;
  }

  #compactWhenDue(): void {
    const above = this.#options.compactAboveBytes ?? COMPACT_ABOVE_BYTES;
    if (this.#isDue || this.size <= above || this.size <= COMPACT_GROWTH * this.#compactedSize) return;
    this.#isDue = true;
    this.compact()
      .catch((error: Error) => {
        this.#options.onNotice?.(`compaction failed, the database goes on without: ${error.message}`);
        this.#compactedSize = this.size;
      })
      .finally(() => {
        this.#isDue = false;
      });
  }

  /**
   * Replaces the file by one that holds the schema and the rows as they are now. Commits go on meanwhile. Rejects with
   * OvsdbError OVSDB_IO, and then the old file stays in use.
   */
  compact(): Promise<void> {
    return new Promise((resolve, reject) => {
      // A commit that is in the file but not in the tables yet would be lost.
      this.database.whenIdle(() => this.#startCompaction().then(resolve, reject));
    });
  }

  #startCompaction(): Promise<void> {
    this.#compaction ??= this.#compact().finally(() => {
      this.#compaction = undefined;
      this.#tail = undefined;
    });
    return this.#compaction;
  }

  async #compact(): Promise<void> {
    const { path } = this.#file;
    const temporaryPath = `${path}.tmp`;
    const tail: Buffer[][] = [];
    this.#tail = tail;
    const snapshot = await snapshotRecord(this.database.tables.values(), Date.now());
    const file = createFile(temporaryPath, path);
    try {
      file.append(frame([schemaRecord(this.database.schema)]));
      file.append(frame(snapshot));
      // Commits may come during each sync; the last round finds none.
      let isComplete = false;
      while (!isComplete) {
        for (const framed of tail.splice(0)) file.append(framed);
        await file.sync();
        isComplete = tail.length === 0;
      }
      renameSync(temporaryPath, path);
    } catch (error) {
      rmSync(temporaryPath, { force: true });
      await file.close();
      throw ioError(path, error);
    }
    const old = this.#file;
    this.#file = file;
    this.#compactedSize = file.size;
    this.#isSuspect = false;
    this.#tail = undefined;
    await syncDirectory(path);
    await old.close();
  }

  /** Makes everything durable and closes the file. Commits afterwards are refused. */
  async close(): Promise<void> {
    await this.#compaction?.catch(() => undefined);
    this.database.attachLog({
      append: () => {
        throw new OvsdbError('OVSDB_IO', `${this.#file.path} has been closed`);
      },
    });
    await this.#file.sync();
    await this.#file.close();
    this.#lock?.release();
  }
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function access<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new OvsdbError('OVSDB_FILE_ACCESS', `${path}: ${(cause as Error).message}`, { cause });
  }
}

function createLog(path: string, schema: DatabaseSchema | undefined): void {
  if (!schema)
    throw new OvsdbError('OVSDB_FILE_ACCESS', `${path}: there is no such file, and no schema to create it with`);
  access(path, () =>
    writeFileSync(path, Buffer.concat(frame([schemaRecord(schema)])), { flag: 'wx', mode: FILE_MODE, flush: true }),
  );
}

function createFile(temporaryPath: string, path: string): LogFile {
  try {
    rmSync(temporaryPath, { force: true });
    return new LogFile(path, openSync(temporaryPath, 'wx', FILE_MODE), 0);
  } catch (error) {
    throw ioError(path, error);
  }
}

function schemaRecord(schema: DatabaseSchema): Buffer {
  return Buffer.from(`${printJson(printSchema(schema))}\n`);
}

function checkSchema(json: Json, path: string, expected: DatabaseSchema | undefined): DatabaseSchema {
  let schema: DatabaseSchema;
  try {
    schema = compileSchema(parseSchema(json));
  } catch (cause) {
    throw badRecord(path, 0, (cause as Error).message, cause);
  }
  if (!expected || printJsonSorted(printSchema(schema)) === printJsonSorted(printSchema(expected))) return schema;
  throw new OvsdbError(
    'OVSDB_FILE_SCHEMA',
    schema.name === expected.name
      ? `${path} has version ${schema.version} of the schema ${schema.name}, and this program has another one, version ${expected.version}. Keep a copy, then convert it: ovsdb-tool convert ${path} SCHEMA-FILE`
      : `${path} holds database ${schema.name}, expected is ${expected.name}`,
  );
}

function replay(database: Database, json: Json, path: string, offset: number): void {
  try {
    database.replay(json);
  } catch (cause) {
    if (!(cause instanceof OvsdbError)) throw cause;
    throw badRecord(path, offset, cause.message, cause);
  }
}

/** The new name of a file is durable when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const fd = openSync(dirname(path), 'r');
  try {
    await promisify(fsync)(fd);
  } finally {
    closeSync(fd);
  }
}

function ioError(path: string, error: unknown): OvsdbError {
  if (error instanceof OvsdbError) return error;
  return new OvsdbError('OVSDB_IO', `${path}: ${(error as Error).message}`, { cause: error });
}
