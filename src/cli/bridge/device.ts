import { readFileSync } from 'node:fs';
import type { Port } from '../../datapath/index.ts';
import { AfPacketPort } from '../../datapath/ports/af-packet-port.ts';
import type { DevicePort } from '../../datapath/ports/device-port.ts';
import { TapPort } from '../../datapath/ports/tap-port.ts';
import { PORT_STATE, type PortFeatures, type PortSettings } from '../../ofproto/index.ts';
import { PORT_FEATURES } from '../../openflow/index.ts';
import type { PortArgument } from './port-argument.ts';

/** A port of a bridge with what it stands on. */
export interface OpenedPort {
  readonly number: number;
  readonly port: Port;
  /** Stands on a kernel device of its name. */
  readonly hasLink: boolean;
  /** Where packets come in from; absent for a port that nothing comes in by, or that a packet thread has. */
  readonly device?: DevicePort;
}

/**
 * @param onThread a packet thread is to open it
 * @throws DatapathError when there is no such device, or it may not be opened
 */
export function openPort({ number, device: name, type }: PortArgument, onThread: boolean): OpenedPort {
  const send = (): boolean => true;
  if (type === 'null') return { number, hasLink: false, port: { name, isSink: true, send } };
  if (onThread) return { number, hasLink: true, port: { name, spec: { kind: type, device: name }, send } };
  const device = type === 'tap' ? new TapPort(name) : new AfPacketPort(name);
  return { number, hasLink: true, port: device, device };
}

const KBPS_PER_MBPS = 1000;
const MODES: readonly (readonly [number, number])[] = [
  [10, PORT_FEATURES.fd10M],
  [100, PORT_FEATURES.fd100M],
  [1000, PORT_FEATURES.fd1G],
  [10_000, PORT_FEATURES.fd10G],
  [40_000, PORT_FEATURES.fd40G],
  [100_000, PORT_FEATURES.fd100G],
  [1_000_000, PORT_FEATURES.fd1T],
];

/** What the kernel says of a device now. */
export function deviceSettings(name: string): Required<Pick<PortSettings, 'mac' | 'state' | 'features'>> {
  const address = attribute(name, 'address') ?? '';
  const isUp = attribute(name, 'carrier') === '1';
  return {
    mac: Uint8Array.from({ length: 6 }, (_, i) => Number.parseInt(address.slice(3 * i, 3 * i + 2), 16) || 0),
    state: isUp ? PORT_STATE.live : PORT_STATE.linkDown,
    features: deviceFeatures(Number(attribute(name, 'speed') ?? 0)),
  };
}

function deviceFeatures(speedMbps: number): PortFeatures {
  const speed = Math.max(0, speedMbps);
  const current = MODES.find(([mbps]) => mbps === speed)?.[1] ?? (speed > 0 ? PORT_FEATURES.other : 0);
  return {
    current,
    advertised: 0,
    supported: 0,
    peer: 0,
    currentSpeedKbps: speed * KBPS_PER_MBPS,
    maxSpeedKbps: 0,
  };
}

/** A line of /sys/class/net; undefined when the device is not there or does not say. */
function attribute(name: string, file: string): string | undefined {
  try {
    return readFileSync(`/sys/class/net/${name}/${file}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
