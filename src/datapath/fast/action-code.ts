import type { DatapathAction, SetAction } from '../action.ts';
import {
  KEY_ETH_DST,
  KEY_ETH_TYPE,
  KEY_IP_SRC,
  KEY_IP_TOS,
  KEY_IP_TTL,
  KEY_L4_DST,
  KEY_VLAN_TCI,
  NO_LIMIT,
  NO_QUEUE,
  NO_SLOT,
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
} from '../layout.ts';

/** Actions as the core reads them: 32-bit words. `slotOf` gives the place of a port, or `NO_SLOT`. */
export function encodeActions(actions: readonly DatapathAction[], slotOf: (port: number) => number): number[] {
  const words: number[] = [];
  for (let i = 0; i < actions.length; i++) {
    const joined = taggedAtOnce(actions[i], actions[i + 1]);
    if (joined !== undefined) i++;
    encode(joined ?? actions[i], words, slotOf);
  }
  words.push(OP_END);
  return words;
}

/** The slot of the port that the packet as it is goes out by, when that is all that happens to it; else `NO_SLOT`. */
export function onlyPort(actions: readonly DatapathAction[], slotOf: (port: number) => number): number {
  const [first] = actions;
  if (actions.length !== 1 || first.kind !== 'output') return NO_SLOT;
  return first.maxLen === undefined && first.queue === undefined ? slotOf(first.port) : NO_SLOT;
}

function encode(action: DatapathAction, words: number[], slotOf: (port: number) => number): void {
  switch (action.kind) {
    case 'output':
      words.push(OP_OUTPUT, slotOf(action.port), action.maxLen ?? NO_LIMIT, action.queue ?? NO_QUEUE);
      return;
    case 'set':
      encodeSet(action, words);
      return;
    case 'pushVlan':
      words.push(OP_PUSH_VLAN, action.tpid, action.tci);
      return;
    case 'popVlan':
      words.push(OP_POP_VLAN);
      return;
    case 'pushMpls':
      words.push(OP_PUSH_MPLS, action.ethType, action.lse);
      return;
    case 'popMpls':
      words.push(OP_POP_MPLS, action.ethType);
      return;
    case 'clone': {
      const inner = encodeActions(action.actions, slotOf);
      words.push(OP_CLONE, 4 * inner.length, ...inner);
      return;
    }
    case 'recirculate':
      words.push(OP_RECIRCULATE, action.id);
      return;
    case 'toMain':
      words.push(OP_TO_MAIN, action.note);
      return;
  }
}

/** Places in the key of what is rewritten in most packets: Ethernet and IPv4 addresses, type of service, TTL, ports. */
const COMMON_BYTES: ReadonlySet<number> = new Set([
  ...range(KEY_ETH_DST, KEY_ETH_TYPE),
  KEY_IP_TOS,
  KEY_IP_TTL,
  ...range(KEY_IP_SRC, KEY_L4_DST + 2),
]);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** A tag that is pushed and then given other bits at once: one action. Undefined when the two are not that. */
function taggedAtOnce(action: DatapathAction, next: DatapathAction | undefined): DatapathAction | undefined {
  if (action.kind !== 'pushVlan' || next?.kind !== 'set') return undefined;
  let { tci } = action;
  for (const [offset, value, mask] of next.bytes) {
    if (offset !== KEY_VLAN_TCI && offset !== KEY_VLAN_TCI + 1) return undefined;
    const shift = offset === KEY_VLAN_TCI ? 8 : 0;
    // Whether there is a tag at all is in this bit.
    if (shift === 8 && (mask & VLAN_PRESENT) !== 0 && (value & VLAN_PRESENT) === 0) return undefined;
    tci = (tci & ~(mask << shift)) | (value << shift);
  }
  return { ...action, tci };
}

const VLAN_PRESENT = 0x10;

/** Bytes to be written, gathered into eight at a time. */
function encodeSet({ bytes }: SetAction, words: number[]): void {
  const values = new Map<number, { value: Uint8Array; mask: Uint8Array }>();
  for (const [offset, value, mask] of bytes) {
    const start = offset & ~7;
    const word = values.get(start) ?? { value: new Uint8Array(8), mask: new Uint8Array(8) };
    values.set(start, word);
    word.value[offset - start] = value & mask;
    word.mask[offset - start] = mask;
  }
  const isOfAddresses = bytes.every(([offset]) => offset >= KEY_ETH_DST && offset < KEY_ETH_TYPE);
  const isCommon = bytes.every(([offset]) => COMMON_BYTES.has(offset));
  words.push(OP_SET, isOfAddresses ? SET_ADDRESSES : isCommon ? SET_COMMON : 0, values.size, 0);
  for (const [start, { value, mask }] of values) words.push(start, 0, ...halves(value), ...halves(mask));
}

function halves(bytes: Uint8Array): [number, number] {
  const view = new DataView(bytes.buffer);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}
