import type { MapDefinition } from '../maps/definition.ts';
import type { Instruction } from '../program.ts';
import type { ViolationKind } from '../violation.ts';

/**
 * One row of the conformance suite. To add one, add it to the table of its kind in this folder: every engine, and the
 * Linux kernel where the program converts, will be asked.
 */
export interface ConformanceCase {
  readonly name: string;
  /** The program, in the assembler's syntax, or as instructions. */
  readonly program: string | readonly Instruction[];
  /** Hex of the packet: r1 points to it, r2 is its length. Empty when absent. */
  readonly packet?: string;
  readonly maps?: readonly MapDefinition[];
  /** What happens: the value of r0, a refusal at load, or (interpreter only) a violation. */
  readonly expect: { readonly r0: bigint } | { readonly refused: string } | { readonly violation: ViolationKind };
  /** Why Linux is not asked: it would refuse the program or behave otherwise by design. */
  readonly notInLinux?: string;
}
