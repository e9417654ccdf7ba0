import { applyKey, extractKey, newKey, popMpls, popVlan, pushMpls, pushVlan } from '../../packet/index.ts';
import type { DatapathAction, OutputAction, SetAction } from '../action.ts';

/** Where actions lead. Packets are only lent: what is to be kept must be copied. */
export interface ActionSink {
  output(action: OutputAction, packet: Uint8Array): void;
  recirculate(id: number, packet: Uint8Array): void;
  toMain(note: number, packet: Uint8Array): void;
}

const key = newKey();

/** Runs actions in order on a packet, whose bytes stay as they are: changes are made to a copy. */
export function runActions(actions: readonly DatapathAction[], original: Uint8Array, sink: ActionSink): void {
  let packet = original;
  /** Fields are written in place, so once into a copy. */
  const own = (): Uint8Array => (packet === original ? original.slice() : packet);
  for (const action of actions) {
    switch (action.kind) {
      case 'output':
        sink.output(action, action.maxLen === undefined ? packet : packet.subarray(0, action.maxLen));
        break;
      case 'set':
        packet = setBytes(own(), action);
        break;
      case 'pushVlan':
        packet = pushVlan(packet, action.tpid, action.tci);
        break;
      case 'popVlan':
        packet = popVlan(packet);
        break;
      case 'pushMpls':
        packet = pushMpls(packet, action.ethType, action.lse);
        break;
      case 'popMpls':
        packet = popMpls(packet, action.ethType);
        break;
      case 'clone':
        runActions(action.actions, packet, sink);
        break;
      case 'recirculate':
        sink.recirculate(action.id, packet);
        break;
      case 'toMain':
        sink.toMain(action.note, packet);
        break;
    }
  }
}

function setBytes(packet: Uint8Array, { bytes }: SetAction): Uint8Array {
  extractKey(packet, key);
  for (const [offset, value, mask] of bytes) key[offset] = (key[offset] & ~mask) | value;
  return applyKey(packet, key);
}
