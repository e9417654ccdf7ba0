import { formatMac } from '../../bytes/index.ts';
import { OFPP } from '../../openflow/index.ts';
import { ETH_TYPE, KEY, VLAN, VLAN_CFI } from '../../packet/index.ts';
import { type BridgePort, PORT_CONFIG, type PortVlan, TRUNK_ALL } from '../port-table.ts';
import { keyNumber, putKeyNumber } from './key-fields.ts';
import { sendTo } from './output.ts';
import type { PacketWalk } from './walk.ts';

const MAC_BYTES = 6;

/** The bits of the key that NORMAL reads, as (offset, length) in bytes. */
export const NORMAL_READS: readonly (readonly [number, number])[] = [
  [KEY.ethDst, MAC_BYTES],
  [KEY.ethSrc, MAC_BYTES],
  [KEY.vlanTci, 2],
  [KEY.innerVlanTci, 2],
];

/**
 * Action NORMAL: what an Ethernet switch without flows does (IEEE 802.1Q section 8). Learns where the source is, sends to
 * where the destination was seen, else everywhere in the VLAN but back; each port takes part in VLANs as it is set.
 */
export function normal(walk: PacketWalk): void {
  const { key, inPort, pipeline } = walk;
  const ingress = pipeline.ports.peek(inPort);
  const isNobodys = inPort === OFPP.controller || inPort === OFPP.none;
  if (ingress === undefined && !isNobodys) {
    walk.warn('no input bundle, dropping');
    return;
  }
  if (pipeline.mirrors.isOutput(inPort)) {
    walk.say('dropping packet received on a port that is reserved for mirroring');
    return;
  }
  const tci = keyNumber(key, KEY.vlanTci, 2);
  const vid = (tci & VLAN_CFI) !== 0 ? tci & VLAN.vidMask : 0;
  const isDoubleTagged = vid !== 0 && (keyNumber(key, KEY.innerVlanTci, 2) & VLAN.vidMask) !== 0;
  const vlan = ingressVlan(ingress?.vlan ?? TRUNK_ALL, vid);
  if (vlan === undefined) {
    if (ingress !== undefined) walk.pipeline.tracer?.error(refusalText(ingress, vid));
    walk.warn('disallowed VLAN VID for this input port, dropping');
    return;
  }
  if (isReserved(key)) {
    walk.say('packet has reserved destination MAC, dropping');
    return;
  }
  if (!isMulticast(key, KEY.ethSrc) && !isNobodys) {
    const lesson = { vlan, mac: formatMac(key, KEY.ethSrc), port: inPort };
    walk.lessons.push(lesson);
    // At once, so that what follows looks at the table as the next packet will.
    if (pipeline.learn(lesson)) {
      walk.say(`learned that ${lesson.mac} is on port ${ingress?.name} in VLAN ${vlan}`);
      walk.learnt(vlan, lesson.mac);
    }
  }
  const known = isMulticast(key, KEY.ethDst) ? undefined : seek(walk, vlan);
  const targets = known === undefined ? flooded(walk, vlan) : [pipeline.ports.peek(known)];
  if (known !== undefined && known === inPort) walk.say('learned port is input port, dropping');
  else walk.say(known === undefined ? 'no learned MAC for destination, flooding' : 'forwarding to learned port');
  for (const port of targets) {
    if (port === undefined || port.number === inPort || !carries(port.vlan, vlan)) continue;
    // The one tag that an access port's packets have is that of its VLAN.
    if (port.vlan.mode === 'access' && isDoubleTagged) continue;
    if (port.isProtected && ingress?.isProtected) continue;
    sendInVlan(walk, port, vlan, tci);
  }
}

function refusalText({ name, vlan: { mode, tag } }: BridgePort, vid: number): string {
  const why = mode === 'access' ? `configured as VLAN ${tag} access port` : `not configured for trunking VLAN ${vid}`;
  return `dropping VLAN ${vid} tagged packet received on port ${name} ${why}`;
}

function seek(walk: PacketWalk, vlan: number): number | undefined {
  const mac = formatMac(walk.key, KEY.ethDst);
  walk.sought(vlan, mac);
  return walk.pipeline.macs.lookup(vlan, mac);
}

function flooded(walk: PacketWalk, vlan: number): readonly BridgePort[] {
  return walk.pipeline.ports
    .list()
    .filter(
      (port) =>
        (port.config & PORT_CONFIG.noFlood) === 0 &&
        carries(port.vlan, vlan) &&
        !walk.pipeline.mirrors.isOutput(port.number),
    );
}

/** The VLAN that a packet with tag `vid` (0: none, or only a priority) belongs to; undefined when the port does not let it in. */
export function ingressVlan(port: PortVlan, vid: number): number | undefined {
  if (port.mode === 'access') return vid === 0 ? port.tag : undefined;
  if (port.mode !== 'trunk' && vid === 0) return port.tag;
  return carries(port, vid) ? vid : undefined;
}

export function carries(port: PortVlan, vlan: number): boolean {
  if (port.mode === 'access') return vlan === port.tag;
  // A port with a native VLAN has no use for VLAN 0: its untagged packets are of the native one.
  if (port.mode !== 'trunk' && (vlan === port.tag || vlan === 0)) return vlan === port.tag;
  return port.trunks === undefined || port.trunks.has(vlan);
}

/** Sends by a port with the tag that the VLAN has there, priority kept. `tci` is what the packet has now. */
export function sendInVlan(walk: PacketWalk, port: BridgePort, vlan: number, tci: number, cut?: number): void {
  const isUntagged = port.vlan.mode === 'access' || (port.vlan.mode === 'native-untagged' && vlan === port.vlan.tag);
  const vid = isUntagged ? 0 : vlan;
  const priority = (tci & VLAN_CFI) !== 0 ? tci & VLAN.pcpMask : 0;
  const { priorityTags } = port.vlan;
  // A trunk leaves a priority as it is; where a VLAN is untagged, the port's setting decides.
  const keepsPriority = priority !== 0 && (!isUntagged || priorityTags === 'if-nonzero');
  const isTagged = vid !== 0 || priorityTags === 'always' || keepsPriority;
  const wanted = isTagged ? VLAN_CFI | priority | vid : 0;
  if (wanted === tci || (!isTagged && (tci & VLAN_CFI) === 0)) {
    sendTo(walk, port.number, cut);
    return;
  }
  walk.clone(() => {
    const { key, rewrites } = walk;
    if (!isTagged) rewrites.popVlan(key);
    else if ((tci & VLAN_CFI) === 0) rewrites.pushVlan(key, ETH_TYPE.vlan, wanted);
    else rewrites.written(KEY.vlanTci, Uint8Array.of(0xff, 0xff));
    putKeyNumber(key, KEY.vlanTci, 2, wanted);
    sendTo(walk, port.number, cut);
  });
}

function isMulticast(key: Uint8Array, offset: number): boolean {
  return (key[offset] & 1) !== 0;
}

/** Addresses of protocols between neighbours, as [first address, how many], which a bridge does not forward. */
const RESERVED: readonly (readonly [number, number])[] = [
  // IEEE 802.1Q table 8-1.
  [0x0180c2000000, 16],
  // Extreme Networks: discovery, loop detection, EAPS.
  [0x00e02b000000, 1],
  [0x00e02b000004, 1],
  [0x00e02b000006, 1],
  // Cisco: inter-switch link, CDP and VTP, per-VLAN spanning tree, STP uplink fast, CFM.
  [0x01000c000000, 1],
  [0x01000ccccccc, 2],
  [0x01000ccdcdcd, 1],
  [0x01000cccccc0, 8],
];

export function isReserved(key: Uint8Array): boolean {
  const address = keyNumber(key, KEY.ethDst, MAC_BYTES);
  return RESERVED.some(([first, count]) => address >= first && address < first + count);
}
