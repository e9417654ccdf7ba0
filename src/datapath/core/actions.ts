// What an outcome does to a packet.

import {
  OP_CLONE,
  OP_END,
  OP_OUTPUT,
  OP_POP_MPLS,
  OP_POP_VLAN,
  OP_PUSH_MPLS,
  OP_PUSH_VLAN,
  OP_RECIRCULATE,
  OP_SET,
  OP_TO_MAIN,
  SET_ADDRESSES,
  SET_COMMON,
  STAT_NO_BUFFER,
} from '../layout.ts';
import { hold, own, release } from './buffers.ts';
import { isCommon } from './common.ts';
import { toMain } from './host.ts';
import { output } from './output.ts';
import { depth, pass } from './pass.ts';
import { popMpls, popVlan, pushMpls, pushVlan, setAddresses, setBits, setCommon } from './rewrite.ts';
import { noteUp } from './ring.ts';
import { answersAtOnce, buffer, count, length, packet, take } from './state.ts';

/** Runs actions on the packet that is worked on, and uses up one holder of its buffer. */
export function run(actions: usize, inPort: u32): void {
  let at = actions;
  for (;;) {
    const op = load<u32>(at);
    if (op === OP_END) break;
    if (op === OP_OUTPUT) {
      const limit = load<u32>(at, 8);
      const bytes = limit < length ? limit : length;
      if (load<u32>(at, 16) === OP_END) {
        output(load<u32>(at, 4), buffer, packet, bytes, load<u32>(at, 12), depth);
        return;
      }
      hold(buffer);
      output(load<u32>(at, 4), buffer, packet, bytes, load<u32>(at, 12), depth);
      at += 16;
    } else if (op === OP_TO_MAIN) {
      const note = load<u32>(at, 4);
      if (answersAtOnce) toMain(note, packet, length, depth);
      else noteUp(note, buffer, packet, length, depth);
      at += 8;
    } else if (op === OP_CLONE) {
      const inner = load<u32>(at, 4);
      const savedBuffer = buffer;
      const savedPacket = packet;
      const savedLength = length;
      hold(buffer);
      run(at + 8, inPort);
      take(savedBuffer, savedPacket, savedLength);
      at += 8 + inner;
    } else if (op === OP_RECIRCULATE) {
      const savedBuffer = buffer;
      const savedPacket = packet;
      const savedLength = length;
      hold(buffer);
      pass(inPort, load<u32>(at, 4));
      take(savedBuffer, savedPacket, savedLength);
      at += 8;
    } else {
      // All others write the packet.
      if (!own()) break;
      if (op === OP_SET) {
        const records = load<u32>(at, 8);
        const parts = load<u32>(at, 4);
        if (parts === SET_ADDRESSES) setAddresses(at + 16, records);
        else if (parts === SET_COMMON && isCommon(packet, length)) setCommon(at + 16, records);
        else if (!setBits(at + 16, records)) {
          count(STAT_NO_BUFFER, 1);
          break;
        }
        at += 16 + records * 24;
      } else if (op === OP_PUSH_VLAN) {
        if (!pushVlan(load<u32>(at, 4), load<u32>(at, 8))) break;
        at += 12;
      } else if (op === OP_POP_VLAN) {
        popVlan();
        at += 4;
      } else if (op === OP_PUSH_MPLS) {
        if (!pushMpls(load<u32>(at, 4), load<u32>(at, 8))) break;
        at += 12;
      } else if (op === OP_POP_MPLS) {
        popMpls(load<u32>(at, 4));
        at += 8;
      } else {
        break;
      }
    }
  }
  release(buffer);
}
