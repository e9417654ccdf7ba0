import { PORT_STATE, type PortFeatures, type PortSettings } from '../../ofproto/index.ts';
import { PORT_FEATURES } from '../../openflow/index.ts';
import type { DeviceState } from '../netdev/index.ts';

const KBPS = 1000;
const MODES: readonly (readonly [number, number])[] = [
  [10e6, PORT_FEATURES.fd10M],
  [100e6, PORT_FEATURES.fd100M],
  [1e9, PORT_FEATURES.fd1G],
  [10e9, PORT_FEATURES.fd10G],
  [40e9, PORT_FEATURES.fd40G],
  [100e9, PORT_FEATURES.fd100G],
  [1e12, PORT_FEATURES.fd1T],
];

/** What OpenFlow says of a port whose device is in that state. */
export function portSettings({
  mac,
  hasLink,
  speed,
}: DeviceState): Required<Pick<PortSettings, 'mac' | 'state' | 'features'>> {
  return {
    mac: mac ?? new Uint8Array(6),
    state: hasLink ? PORT_STATE.live : PORT_STATE.linkDown,
    features: features(speed ?? 0),
  };
}

function features(speed: number): PortFeatures {
  const current = MODES.find(([bps]) => bps === speed)?.[1] ?? (speed > 0 ? PORT_FEATURES.other : 0);
  return {
    current,
    advertised: 0,
    supported: 0,
    peer: 0,
    currentSpeedKbps: Math.floor(speed / KBPS),
    maxSpeedKbps: 0,
  };
}
