import { type Action, actionsRead, denseFieldUse, OFPP } from '../openflow/index.ts';
import { NORMAL_READS } from './normal.ts';

/** Sets in `dense` (key layout) the bits that decide what the actions do; the port that a packet came in by is always read. */
export function addReads(actions: readonly Action[], dense: Uint8Array): void {
  actionsRead(actions, denseFieldUse(dense));
  for (const action of actions) {
    if (action.type !== 'output' || action.port !== OFPP.normal) continue;
    for (const [offset, length] of NORMAL_READS) dense.fill(0xff, offset, offset + length);
  }
}
