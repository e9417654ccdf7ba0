import { formatMac } from '../bytes/index.ts';
import { KEY, VLAN_CFI } from '../packet/index.ts';
import type { PacketWalk } from './translate.ts';

const MAC_BYTES = 6;
const VLAN_VID = 0x0fff;

/**
 * Action NORMAL: what an Ethernet switch without flows does (IEEE 802.1Q section 8). Learns where the source is, sends to
 * where the destination was seen, else everywhere but back.
 */
export function normal(walk: PacketWalk): void {
  const { key, inPort, macs } = walk;
  if (isLinkLocal(key)) return;
  const vlan = vlanOf(key);
  if (!isMulticast(key, KEY.ethSrc)) walk.learn({ vlan, mac: formatMac(key, KEY.ethSrc), port: inPort });
  const known = isMulticast(key, KEY.ethDst) ? undefined : macs.lookup(vlan, formatMac(key, KEY.ethDst));
  for (const port of known === undefined ? walk.otherPorts() : [known]) if (port !== inPort) walk.output(port);
}

/** The bits of the key that NORMAL reads, as (offset, length) in bytes. */
export const NORMAL_READS: readonly (readonly [number, number])[] = [
  [KEY.ethDst, MAC_BYTES],
  [KEY.ethSrc, MAC_BYTES],
  [KEY.vlanTci, 2],
];

function vlanOf(key: Uint8Array): number {
  const tci = (key[KEY.vlanTci] << 8) | key[KEY.vlanTci + 1];
  return (tci & VLAN_CFI) !== 0 ? tci & VLAN_VID : 0;
}

function isMulticast(key: Uint8Array, offset: number): boolean {
  return (key[offset] & 1) !== 0;
}

/** 01:80:c2:00:00:00 to 0f: never forwarded by a bridge (IEEE 802.1Q table 8-1). */
function isLinkLocal(key: Uint8Array): boolean {
  const at = KEY.ethDst;
  return (
    key[at] === 0x01 &&
    key[at + 1] === 0x80 &&
    key[at + 2] === 0xc2 &&
    key[at + 3] === 0 &&
    key[at + 4] === 0 &&
    key[at + 5] < 0x10
  );
}
