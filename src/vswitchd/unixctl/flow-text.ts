import { formatMatch, type TextNames } from '../../openflow/index.ts';
import {
  FIELDS,
  type Field,
  field,
  KEY,
  KEY_BYTES,
  type KnownBits,
  Mask,
  Match,
  placeMask,
  prerequisiteHolds,
  readField,
  VLAN_CFI,
} from '../../packet/index.ts';

const PACKET_FIELDS: readonly Field[] = FIELDS.filter(
  ({ canonical, origin, name }) => canonical && origin === 'packet' && name !== 'vlan_tci',
);
const METADATA_FIELDS: readonly Field[] = FIELDS.filter(
  ({ canonical, origin, place }) => canonical && origin === 'metadata' && place.offset + place.bytes <= KEY_BYTES,
);
const IN_PORT = field('in_port_oxm');
/** Fields of packets that are shown only when they are not zero. */
const RARE_FIELDS: readonly string[] = ['nd_reserved', 'nd_options_type'];

/** Everything that is known of a packet, as a match: what its key has of packet and pipeline, the latter where it is not zero. */
export function matchOfKey(key: Uint8Array): Match {
  const dense = new Uint8Array(KEY_BYTES);
  const add = (target: Field): void => {
    placeMask(target).forEach((bits, i) => {
      dense[target.place.offset + i] |= bits;
    });
  };
  const known = knownBits(key);
  for (const target of PACKET_FIELDS) {
    const isThere = prerequisiteHolds(target.prerequisite, known);
    if (isThere && (!RARE_FIELDS.includes(target.name) || !isZero(target, key))) add(target);
  }
  // Solicitations and advertisements are shown alike, with both addresses.
  if (prerequisiteHolds('nd', known)) dense.fill(0xff, KEY.arpSha, KEY.ndTarget);
  for (const target of METADATA_FIELDS) {
    if (target.name === 'packet_type' || target.name === 'actset_output') continue;
    if (target === IN_PORT || !isZero(target, key)) add(target);
  }
  dense.fill(0xff, KEY.vlanTci, KEY.vlanTci + 2);
  if ((key[KEY.vlanTci] & (VLAN_CFI >> 8)) !== 0) dense.fill(0xff, KEY.innerVlanTci, KEY.innerVlanTci + 2);
  const mask = Mask.ofDense(dense);
  return new Match(mask, mask.pack(key));
}

function isZero(target: Field, key: Uint8Array): boolean {
  return readField(target, key).every((byte) => byte === 0);
}

/** The part of what is known of a packet that `bits` has: what a cached flow for it matches. */
export function matchOfCachedFlow(key: Uint8Array, bits: Uint8Array): Match {
  const dense = new Uint8Array(KEY_BYTES);
  matchOfKey(key).mask.addTo(dense);
  for (let i = 0; i < KEY_BYTES; i++) dense[i] &= bits[i];
  const mask = Mask.ofDense(dense);
  return new Match(mask, mask.pack(key));
}

/** A packet as a flow that matches it and no other. */
export function formatKey(key: Uint8Array, names: TextNames = {}): string {
  return formatMatch(matchOfKey(key), names);
}

/** Are they the same packet at the same place in the pipeline? Where an action set leads is no part of that. */
export function sameFlow(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i] || (i >= KEY.actsetOutput && i < KEY.actsetOutput + 4));
}

function knownBits(key: Uint8Array): KnownBits {
  const number = (offset: number, bytes: number): number => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + (key[offset + i] ?? 0);
    return value;
  };
  return {
    exact: number,
    bits: (offset, bytes) => ({ value: number(offset, bytes), mask: 256 ** bytes - 1 }),
  };
}
