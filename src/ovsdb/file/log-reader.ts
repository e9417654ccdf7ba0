import { OvsdbError } from '../errors.ts';
import { parseJson } from '../json/text.ts';
import type { Json } from '../json/value.ts';
import { findFrame, isClusteredLog, readFrame } from './record-frame.ts';

export interface LogRecord {
  readonly offset: number;
  readonly json: Json;
}

/** What a log file holds. */
export interface LogContents {
  readonly schema: Json;
  readonly records: readonly LogRecord[];
  /** Where the undamaged records end. */
  readonly end: number;
  /** Bytes after that: the last record, cut off in the middle of writing. */
  readonly tornBytes: number;
}

/**
 * Reads a whole log file. A last record that is not whole is left out; damage that undamaged records follow is refused,
 * and so is a file without a schema. Throws OvsdbError OVSDB_FILE_CORRUPT.
 */
export function readLog(file: Buffer, path: string): LogContents {
  if (isClusteredLog(file))
    throw new OvsdbError(
      'OVSDB_FILE_SCHEMA',
      `${path} is the file of a clustered database; make a standalone one with "ovsdb-tool cluster-to-standalone"`,
    );
  const records: LogRecord[] = [];
  let offset = 0;
  while (offset < file.length) {
    const framed = readFrame(file, offset);
    if (!framed) {
      checkTorn(file, offset, path);
      break;
    }
    records.push({ offset, json: parseRecord(framed.data, offset, path) });
    offset = framed.end;
  }
  const [schema, ...rest] = records;
  if (!schema)
    throw new OvsdbError(
      'OVSDB_FILE_CORRUPT',
      `${path}: offset 0: no OVSDB record begins here; the file is not a database. Restore a backup, or move it away so that a new one is created`,
    );
  return { schema: schema.json, records: rest, end: offset, tornBytes: file.length - offset };
}

function checkTorn(file: Buffer, offset: number, path: string): void {
  const next = findFrame(file, offset + 1);
  if (next === undefined) return;
  throw new OvsdbError(
    'OVSDB_FILE_CORRUPT',
    `${path}: offset ${offset}: damaged record, but undamaged ones follow from offset ${next} on. Keep a copy of the file; ` +
      `"head -c ${offset}" of it is the database as it was before the damage`,
  );
}

function parseRecord(data: Buffer, offset: number, path: string): Json {
  try {
    return parseJson(data.toString('utf8'));
  } catch (cause) {
    throw badRecord(path, offset, (cause as Error).message, cause);
  }
}

/** The error for a record that is whole, but does not mean anything. */
export function badRecord(path: string, offset: number, why: string, cause: unknown): OvsdbError {
  return new OvsdbError(
    'OVSDB_FILE_CORRUPT',
    `${path}: offset ${offset}: ${why}. Keep a copy of the file; "head -c ${offset}" of it is the database before this record`,
    { cause },
  );
}
