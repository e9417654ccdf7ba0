import type { FunctionCode } from '../../wasm/index.ts';
import { FRAME_BYTES } from '../thread.ts';

/** Where the frame of a function lies: at an i32 local plus a constant, which goes into the instructions' offsets. */
export interface Frame {
  readonly local: number;
  /** Of the frame's lowest byte. */
  readonly offset: number;
}

/** Pushes the base of the frame; what is to be added to reach byte `offset` from the frame pointer (r10) is the result. */
export function pushFrame(code: FunctionCode, frame: Frame, offset: number): number {
  code.localGet(frame.local);
  return frame.offset + FRAME_BYTES + offset;
}
