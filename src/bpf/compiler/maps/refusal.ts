import type { FunctionCode } from '../../../wasm/index.ts';
import { ERRNO } from '../../helpers.ts';
import type { BpfMap } from '../../maps/map.ts';

/** What a writing helper gives that the kind of map does not have: that the map is read-only goes before it. */
export function pushRefusal(code: FunctionCode, map: BpfMap, errno: number): void {
  code.i32Const(map.definition.readOnly === true ? ERRNO.EPERM : errno);
}
