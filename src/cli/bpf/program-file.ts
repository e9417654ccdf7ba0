import { closeSync, openSync, readSync } from 'node:fs';
import {
  BpfError,
  bytecodeProgram,
  decodeProgram,
  isElf,
  loadObject,
  MAX_OBJECT_BYTES,
  type Program,
  type ProgramChoice,
} from '../../bpf/index.ts';

const CHUNK_BYTES = 65_536;

/** A file's bytes; refuses one that is longer than any object may be, without reading the rest. */
export function readObjectFile(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = readSync(file, chunk);
      if (count === 0) return concat(chunks, total);
      chunks.push(chunk.subarray(0, count));
      total += count;
      if (total > MAX_OBJECT_BYTES)
        throw new BpfError('BPF_OBJECT_TOO_LARGE', `${path} has more than ${MAX_OBJECT_BYTES} bytes`);
    }
  } finally {
    closeSync(file);
  }
}

function concat(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** The program of a compiled object, or of a file that is bytecode and nothing else. */
export function readProgramFile(path: string, choice: ProgramChoice): Program {
  const bytes = readObjectFile(path);
  if (isElf(bytes) || choice.section !== undefined || choice.function !== undefined)
    return loadObject(bytes).select(choice);
  return bytecodeProgram(decodeProgram(bytes), { name: 'entry' });
}
