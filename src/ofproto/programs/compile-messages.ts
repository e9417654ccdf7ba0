import type { ProgramChoice } from '../../bpf/index.ts';
import type { ExtensionErrorCode } from '../../openflow/index.ts';
import type { InspectedProgram, MapPlace } from './compiler.ts';

/** What the compile thread is asked; `id` comes back with the answer. */
export type CompileRequest =
  | { readonly type: 'inspect'; readonly id: number; readonly object: Uint8Array; readonly choice: ProgramChoice }
  | {
      readonly type: 'build';
      readonly id: number;
      readonly job: number;
      readonly memory: WebAssembly.Memory;
      readonly windowBits: number;
      /** Of the epoch's block, and of the block of a thread that runs programs. */
      readonly clockAddress: number;
      readonly threadAddress: number;
      readonly places: readonly MapPlace[];
    }
  | { readonly type: 'discard'; readonly job: number };

export type CompileAnswer =
  | { readonly id: number; readonly inspected: InspectedProgram }
  | { readonly id: number; readonly module: WebAssembly.Module }
  | { readonly id: number; readonly refused: { readonly code: ExtensionErrorCode; readonly message: string } };
