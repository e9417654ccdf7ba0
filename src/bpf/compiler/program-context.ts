import type { BpfMap } from '../maps/map.ts';
import type { ModuleFunctions } from './module-functions.ts';
import type { PreparedProgram } from './prepare.ts';
import type { Fuel } from './shared-words.ts';
import type { Window } from './window.ts';

/** What the functions of one program share while they are compiled. */
export interface ProgramContext extends PreparedProgram {
  readonly maps: readonly BpfMap[];
  readonly window: Window;
  readonly functions: ModuleFunctions;
  /** Every store to the stack reaches memory, even if nothing reads it there. */
  readonly keepsStack: boolean;
  readonly fuel: Fuel | undefined;
  /** Address of byte `offset` in the only value of map `index`. */
  mapValueAddress(index: number, offset: number): number;
  /** Function index of the local function that starts at `pc`. */
  localFunction(pc: number): number;
}
