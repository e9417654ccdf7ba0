import { type FunctionCode, Op } from '../../wasm/index.ts';
import { type EbpfMemory, WINDOW_GUARD } from '../memory.ts';

/** How generated code keeps its accesses within the eBPF window. */
export class Window {
  /** The largest address; AND with it forces any number into the window. */
  readonly mask: number;
  /** Whether other threads see the memory. */
  readonly shared: boolean;

  constructor(memory: EbpfMemory) {
    this.mask = memory.mask;
    this.shared = Object.prototype.toString.call(memory.memory.buffer) === '[object SharedArrayBuffer]';
  }

  /** Whether an access of `bytes` bytes that starts at an address of at most `max` ends within window and guard. */
  holds(max: number, bytes: number): boolean {
    return max + bytes <= this.mask + 1 + WINDOW_GUARD;
  }

  /** Forces the i32 on the stack into the window, to a multiple of `alignment` (a power of two). */
  force(code: FunctionCode, alignment = 1): void {
    code.i32Const(this.mask & -alignment);
    code.op(Op.i32And);
  }
}
