import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadObject } from '../bpf/index.ts';
import type { FilterPrograms } from '../ofproto/index.ts';
import type { NumberedFile } from './numbered-file.ts';

/** Loads the programs of `--prog NUMBER=FILE` options. */
export function loadProgramFiles(programs: FilterPrograms, files: readonly NumberedFile[], nowNs: bigint): void {
  for (const { number, file } of files) {
    programs.load(number, basename(file, '.o'), loadObject(readFileSync(file)).select(), nowNs);
  }
}
