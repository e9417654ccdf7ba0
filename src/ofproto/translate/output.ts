import { OFPP } from '../../openflow/index.ts';
import { PORT_CONFIG } from '../port-table.ts';
import { mirrorOutgoing } from './mirror.ts';
import { normal } from './normal.ts';
import type { PacketWalk } from './walk.ts';

/** Reasons why a packet goes to a controller: places in `PACKET_IN_REASONS`. */
const REASON = { action: 1, actionSet: 3, packetOut: 5 } as const;

/**
 * What output to a port number means. A packet never leaves by the port it came in by unless IN_PORT says so (OpenFlow
 * 1.5.1 section 4.5). `maxLen` counts for the controller.
 */
export function outputTo(walk: PacketWalk, port: number, maxLen = 0xffff, cut?: number): void {
  switch (port) {
    case OFPP.inPort:
      sendTo(walk, walk.inPort, cut);
      return;
    case OFPP.table:
      walk.enterTable(0, walk.inPort, true);
      return;
    case OFPP.normal:
      normal(walk);
      return;
    case OFPP.flood:
    case OFPP.all:
      for (const { number, config } of walk.pipeline.ports.list())
        if (number !== walk.inPort && (port === OFPP.all || (config & PORT_CONFIG.noFlood) === 0)) sendTo(walk, number);
      return;
    case OFPP.controller:
      toControllers(walk, maxLen, 0, reasonOf(walk), undefined);
      return;
    case OFPP.none:
      return;
    default:
      if (port === walk.inPort) {
        walk.warn('skipping output to input port');
        return;
      }
      sendTo(walk, port, cut);
      return;
  }
}

/** Sends by a real port, if it is set to send. */
export function sendTo(walk: PacketWalk, number: number, cut?: number): void {
  const port = walk.pipeline.ports.peek(number);
  // The datapath drops it, and counts that.
  if (port === undefined) walk.warn('Nonexistent output port');
  if (port !== undefined && (port.config & PORT_CONFIG.noFwd) !== 0) {
    walk.say('OFPPC_NO_FWD set, skipping output');
    return;
  }
  if (port !== undefined && (port.config & PORT_CONFIG.portDown) !== 0) {
    walk.say('OFPPC_PORT_DOWN set, skipping output');
    return;
  }
  if (port !== undefined) mirrorOutgoing(walk, number);
  walk.pipeline.tracer?.output(number, walk.key);
  walk.rewrites.emit(walk.key, {
    kind: 'output',
    port: number,
    ...(cut === undefined ? {} : { maxLen: cut }),
    ...(walk.queue === undefined ? {} : { queue: walk.queue }),
  });
}

export function toControllers(
  walk: PacketWalk,
  maxLen: number,
  controllerId: number,
  reason: number,
  userdata: Uint8Array | undefined,
): void {
  const miss = reason === REASON.action && walk.rule?.isTableMiss ? 'flow' : 'none';
  const cookie = walk.rule?.cookie ?? 0xffff_ffff_ffff_ffffn;
  walk.emitNote({ reason, miss, cookie, maxLen, controllerId, userdata });
}

function reasonOf(walk: PacketWalk): number {
  if (walk.isPacketOut) return REASON.packetOut;
  return walk.isInActionSet ? REASON.actionSet : REASON.action;
}
