import { KEY, VLAN, VLAN_CFI } from '../../packet/index.ts';
import { hasPort, type Mirror } from '../mirror.ts';
import { TRUNK_ALL } from '../port-table.ts';
import { keyNumber } from './key-fields.ts';
import { carries, ingressVlan, isReserved, sendInVlan } from './normal.ts';
import type { PacketWalk } from './walk.ts';

/** Copies the packet, as it is now, for the mirrors that want what comes in by `port`. */
export function mirrorIncoming(walk: PacketWalk, port: number): void {
  for (const mirror of walk.pipeline.mirrors.list()) if (hasPort(mirror.sources, port)) copy(walk, mirror, port);
}

/** Copies the packet, as it leaves by `port`, for the mirrors that want it. */
export function mirrorOutgoing(walk: PacketWalk, port: number): void {
  for (const mirror of walk.pipeline.mirrors.list()) if (hasPort(mirror.destinations, port)) copy(walk, mirror, port);
}

/** One copy of a packet for each mirror, wherever it is met. */
function copy(walk: PacketWalk, mirror: Mirror, port: number): void {
  if (walk.mirrored.has(mirror)) return;
  const tci = keyNumber(walk.key, KEY.vlanTci, 2);
  const vid = (tci & VLAN_CFI) !== 0 ? tci & VLAN.vidMask : 0;
  const { ports, mirrors } = walk.pipeline;
  const vlan = ingressVlan(ports.peek(port)?.vlan ?? TRUNK_ALL, vid) ?? vid;
  if (mirror.vlans !== undefined && !mirror.vlans.has(vlan)) return;
  walk.mirrored.add(mirror);
  const { output, snaplen } = mirror;
  if ('port' in output) {
    const target = ports.peek(output.port);
    if (target !== undefined && output.port !== walk.inPort) sendInVlan(walk, target, vlan, tci, snaplen);
    return;
  }
  // What neighbours say to each other would mean something else in another VLAN.
  if (vlan === output.vlan || isReserved(walk.key)) return;
  for (const target of ports.list())
    if (target.number !== walk.inPort && !mirrors.isOutput(target.number) && carries(target.vlan, output.vlan))
      sendInVlan(walk, target, output.vlan, tci, snaplen);
}
