export { DeviceFactory, type DeviceRequest, type DummyMode } from './device-factory.ts';
export { type DeviceState, type DeviceStatistics, type NetworkDevice, optionsKey } from './network-device.ts';
export { ReceiveLoop } from './receive-loop.ts';
