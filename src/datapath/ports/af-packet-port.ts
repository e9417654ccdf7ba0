import { AfPacketDriver } from './af-packet-driver.ts';
import { DriverPort } from './driver-port.ts';

/** A network device through an AF_PACKET socket, for the plain datapath. */
export class AfPacketPort extends DriverPort {
  /** @throws DatapathError DATAPATH_CANNOT_OPEN */
  constructor(name: string) {
    super(new AfPacketDriver(name));
  }
}
