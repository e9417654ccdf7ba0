import { OFPP } from '../openflow/index.ts';
import type { PacketWalk } from './translate.ts';

/**
 * The real ports that an output action means, in ascending order; or that the packet is to be switched by addresses. A packet never
 * leaves by the port it came in by unless IN_PORT says so (OpenFlow 1.5.1 section 4.5).
 */
export function outputTargets(port: number, walk: PacketWalk): readonly number[] | 'normal' {
  switch (port) {
    case OFPP.inPort:
      return [walk.inPort];
    case OFPP.normal:
      return 'normal';
    case OFPP.flood:
    case OFPP.all:
      return walk.otherPorts();
    default:
      return port === walk.inPort ? [] : [port];
  }
}
