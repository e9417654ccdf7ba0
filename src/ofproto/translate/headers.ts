import {
  ETH_TYPE,
  field,
  isMplsType,
  KEY,
  KEY_PACKET_BYTES,
  MPLS_LSE_COUNT,
  VLAN,
  VLAN_CFI,
} from '../../packet/index.ts';
import { keyNumber, putKeyNumber, setKeyField } from './key-fields.ts';
import { toControllers } from './output.ts';
import type { PacketWalk } from './walk.ts';

// Actions that add, remove or count in headers: what they make of the key, and what the datapath is to do.

const REASON_INVALID_TTL = 2;
const NW_TTL = field('nw_ttl');
const MPLS_TTL = field('mpls_ttl');

/** The parts of a label stack entry (RFC 3032 section 2.1). */
const LSE = { labelShift: 12, tcShift: 9, bottom: 0x100, ttlMask: 0xff, bytes: 4 } as const;
const LABEL_IPV4_NULL = 0;
const LABEL_IPV6_NULL = 2;
const DEFAULT_TTL = 64;

export function pushVlan(walk: PacketWalk, tpid: number): void {
  const { key, rewrites } = walk;
  rewrites.pushVlan(key, tpid, VLAN_CFI);
  key.copyWithin(KEY.innerVlanTpid, KEY.vlanTpid, KEY.vlanTpid + VLAN.tagBytes);
  putKeyNumber(key, KEY.vlanTpid, 2, tpid);
  putKeyNumber(key, KEY.vlanTci, 2, VLAN_CFI);
}

export function popVlan(walk: PacketWalk): void {
  const { key, rewrites } = walk;
  if ((keyNumber(key, KEY.vlanTci, 2) & VLAN_CFI) === 0) return;
  rewrites.popVlan(key);
  key.copyWithin(KEY.vlanTpid, KEY.innerVlanTpid, KEY.innerVlanTpid + VLAN.tagBytes);
  key.fill(0, KEY.innerVlanTpid, KEY.innerVlanTpid + VLAN.tagBytes);
}

export function isMpls(walk: PacketWalk): boolean {
  return isMplsType(keyNumber(walk.key, KEY.ethType, 2));
}

export function isIp(walk: PacketWalk): boolean {
  const type = keyNumber(walk.key, KEY.ethType, 2);
  return type === ETH_TYPE.ipv4 || type === ETH_TYPE.ipv6;
}

/** How many label stack entries the key has; and whether the last of them is the bottom of the stack. */
function labels(key: Uint8Array): { count: number; hasBottom: boolean } {
  if (!isMplsType(keyNumber(key, KEY.ethType, 2))) return { count: 0, hasBottom: false };
  for (let i = 0; i < MPLS_LSE_COUNT; i++)
    if ((keyNumber(key, KEY.mplsLse + i * LSE.bytes, LSE.bytes) & LSE.bottom) !== 0)
      return { count: i + 1, hasBottom: true };
  return { count: MPLS_LSE_COUNT, hasBottom: false };
}

export function pushMpls(walk: PacketWalk, ethType: number): void {
  const { key, rewrites } = walk;
  const { count } = labels(key);
  if (count >= MPLS_LSE_COUNT) {
    walk.fail('too_many_labels', `over ${MPLS_LSE_COUNT} MPLS labels`);
    return;
  }
  const lse = count > 0 ? (keyNumber(key, KEY.mplsLse, LSE.bytes) & ~LSE.bottom) >>> 0 : firstLabel(walk);
  rewrites.pushMpls(key, ethType, lse);
  key.copyWithin(KEY.mplsLse + LSE.bytes, KEY.mplsLse, KEY.mplsLse + (MPLS_LSE_COUNT - 1) * LSE.bytes);
  putKeyNumber(key, KEY.mplsLse, LSE.bytes, lse);
  putKeyNumber(key, KEY.ethType, 2, ethType);
  // What lies below the labels is no longer matched.
  if (count > 0) return;
  key.fill(0, KEY.ipProto, KEY.mplsLse);
  key.fill(0, KEY.mplsLse + MPLS_LSE_COUNT * LSE.bytes, KEY_PACKET_BYTES);
  walk.wasMpls = false;
}

/** The label that says what it was put before; TTL and traffic class as the IP header has them. */
function firstLabel(walk: PacketWalk): number {
  const { key } = walk;
  const label = keyNumber(key, KEY.ethType, 2) === ETH_TYPE.ipv6 ? LABEL_IPV6_NULL : LABEL_IPV4_NULL;
  const ttl = isIp(walk) ? key[KEY.ipTtl] : DEFAULT_TTL;
  const tc = isIp(walk) ? (key[KEY.ipTos] >> 2) & 7 : 0;
  return ((label << LSE.labelShift) | (tc << LSE.tcShift) | LSE.bottom | ttl) >>> 0;
}

export function popMpls(walk: PacketWalk, ethType: number): void {
  const { key, rewrites } = walk;
  const { count, hasBottom } = labels(key);
  if (count === 0) return;
  if (count >= MPLS_LSE_COUNT && !hasBottom) {
    walk.fail('too_many_labels', `cannot pop from more than ${MPLS_LSE_COUNT} MPLS labels`);
    return;
  }
  rewrites.popMpls(key, ethType);
  key.copyWithin(KEY.mplsLse, KEY.mplsLse + LSE.bytes, KEY.mplsLse + MPLS_LSE_COUNT * LSE.bytes);
  const last = KEY.mplsLse + (MPLS_LSE_COUNT - 1) * LSE.bytes;
  key.fill(0, last, last + LSE.bytes);
  putKeyNumber(key, KEY.ethType, 2, ethType);
  if (!isMplsType(ethType)) walk.wasMpls = true;
}

/** True when the TTL has run out: the packet goes to the controllers, and the rest of its actions is not carried out. */
export function decTtl(walk: PacketWalk, controllers: readonly number[]): boolean {
  const { key, rewrites } = walk;
  if (!isIp(walk)) return false;
  const ttl = key[KEY.ipTtl];
  if (ttl > 1) {
    setKeyField(key, rewrites, NW_TTL, Uint8Array.of(ttl - 1));
    return false;
  }
  walk.warn(`IPv${keyNumber(key, KEY.ethType, 2) === ETH_TYPE.ipv6 ? 6 : 4} decrement TTL exception`);
  for (const id of controllers) toControllers(walk, 0xffff, id, REASON_INVALID_TTL, undefined);
  return true;
}

/** The same for the outermost label; as in Open vSwitch, a packet without labels goes no further either. */
export function decMplsTtl(walk: PacketWalk): boolean {
  const { key, rewrites } = walk;
  if (!isMpls(walk)) return true;
  const ttl = key[KEY.mplsLse + LSE.bytes - 1];
  if (ttl > 1) {
    setKeyField(key, rewrites, MPLS_TTL, Uint8Array.of(ttl - 1));
    return false;
  }
  walk.warn('MPLS decrement TTL exception');
  toControllers(walk, 0xffff, 0, REASON_INVALID_TTL, undefined);
  return true;
}
