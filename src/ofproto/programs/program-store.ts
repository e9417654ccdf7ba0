import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { OkoError } from '../../bytes/index.ts';
import type { Clock } from '../../datapath/index.ts';
import { OfprotoError } from '../errors.ts';
import type { FilterPrograms } from '../filter-programs.ts';
import type { LoadRequest } from './program.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';

const FORMAT = 'oko-program 1';
const MAX_HEADER_BYTES = 1 << 16;

const Header = z.object({
  format: z.literal(FORMAT),
  program: z.number().int().min(1).max(0xffff),
  name: z.string(),
  section: z.string().optional(),
  function: z.string().optional(),
  sha256: z.string(),
});

/**
 * Keeps the filter programs of one bridge in a folder: each program that is loaded as `N.program` (a line of JSON, then the
 * object file), and, when the switch ends, what its maps hold as `N.maps`.
 */
export class ProgramStore {
  readonly #folder: string;
  /** By program: the line before its object, and the object's SHA-256. */
  readonly #stored = new Map<number, { readonly header: string; readonly sha256: string }>();
  #work: Promise<void> = Promise.resolve();
  /** What went wrong with writing, the first time. */
  failure: Error | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Loads what is there. Gives what was wrong: programs that cannot be loaded, and snapshots that are damaged or do not fit, whose
   * maps start empty.
   */
  async restore(programs: FilterPrograms, clock: Clock): Promise<readonly OkoError[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const errors: OkoError[] = [];
    const files = (await readdir(this.#folder)).filter((file) => /^\d+\.program$/.test(file));
    for (const file of files.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
      try {
        await this.#restore(join(this.#folder, file), programs, clock);
      } catch (error) {
        if (!(error instanceof OkoError)) throw error;
        errors.push(error);
      }
    }
    return errors;
  }

  async #restore(path: string, programs: FilterPrograms, clock: Clock): Promise<void> {
    const request = await this.#read(path);
    const stored = describe(request);
    const { sha256 } = stored;
    // So that it is not stored again.
    this.#stored.set(request.id, stored);
    try {
      await programs.loadObject(request, clock);
    } catch (error) {
      this.#stored.delete(request.id);
      if (!(error instanceof OkoError)) throw error;
      throw new OfprotoError('OFPROTO_BAD_PROGRAM_FILE', `${path}: ${error.message}`, { cause: error });
    }
    const maps = this.#path(request.id, 'maps');
    try {
      await readSnapshot(programs, request.id, sha256, maps);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    // It is true only once: from now on the maps change.
    await rm(maps, { force: true });
  }

  async #read(path: string): Promise<LoadRequest> {
    const bytes = await readFile(path);
    const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
    const header = Header.safeParse(end < 0 ? undefined : parseJson(bytes.subarray(0, end)));
    if (!header.success) throw new OfprotoError('OFPROTO_BAD_PROGRAM_FILE', `${path}: the file is no stored program`);
    const { program: id, name, section, function: func, sha256 } = header.data;
    const object = new Uint8Array(bytes.subarray(end + 1));
    if (hashOf(object) !== sha256)
      throw new OfprotoError('OFPROTO_BAD_PROGRAM_FILE', `${path}: the file is damaged, its checksum is another one`);
    const choice = { ...(section === undefined ? {} : { section }), ...(func === undefined ? {} : { function: func }) };
    return { id, name, object, choice };
  }

  /** A program was loaded: it is stored, in its turn. */
  loaded(request: LoadRequest): void {
    const { id, object } = request;
    const stored = describe(request);
    if (this.#stored.get(id)?.header === stored.header) return;
    this.#stored.set(id, stored);
    this.#later(async () => {
      const path = this.#path(id, 'program');
      const file = await open(`${path}.new`, 'w', 0o600);
      try {
        await file.writeFile(`${stored.header}\n`);
        await file.writeFile(object);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
      await rm(this.#path(id, 'maps'), { force: true });
    });
  }

  unloaded(id: number): void {
    this.#stored.delete(id);
    this.#later(async () => {
      for (const kind of ['program', 'maps'] as const) await rm(this.#path(id, kind), { force: true });
    });
  }

  /** Stores what the maps hold, when the switch ends. */
  async snapshot(programs: FilterPrograms): Promise<void> {
    await this.flush();
    for (const [id, { sha256 }] of this.#stored)
      if (programs.has(id)) await writeSnapshot(programs, id, sha256, this.#path(id, 'maps'));
  }

  /** Resolves when all that is to be stored is. */
  flush(): Promise<void> {
    return this.#work;
  }

  #later(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.failure ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  #path(id: number, kind: 'program' | 'maps'): string {
    return join(this.#folder, `${id}.${kind}`);
  }
}

function describe({ id, name, object, choice }: LoadRequest): { readonly header: string; readonly sha256: string } {
  const sha256 = hashOf(object);
  const { section, function: func } = choice ?? {};
  return { header: JSON.stringify({ format: FORMAT, program: id, name, section, function: func, sha256 }), sha256 };
}

function hashOf(object: Uint8Array): string {
  return createHash('sha256').update(object).digest('hex');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
