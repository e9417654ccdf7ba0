import { DriverPort } from './driver-port.ts';
import { TapDriver } from './tap-driver.ts';

/** A tap device, made when the port is opened and gone with it: the host's own end of a bridge, for the plain datapath. */
export class TapPort extends DriverPort {
  /** @throws DatapathError DATAPATH_CANNOT_OPEN */
  constructor(name: string) {
    super(new TapDriver(name));
  }
}
