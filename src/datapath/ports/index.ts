// Ports on kernel devices. They need Linux and koffi, so they stand apart from the datapath itself, which runs anywhere.

export { AfPacketPort } from './af-packet-port.ts';
export type { DevicePort } from './device-port.ts';
export { DeviceWaiter } from './device-waiter.ts';
export { DriverPort } from './driver-port.ts';
export { type Link, type LinkEvent, LinkMonitor } from './link-monitor.ts';
export {
  addressOf,
  close,
  EVENT_DESCRIPTORS,
  errno,
  errorText,
  ifNameToIndex,
  ioctl,
  openError,
  socket,
} from './linux.ts';
export { dpdkSpec, openDriver, type PortSpec } from './port-spec.ts';
export { TapPort } from './tap-port.ts';
