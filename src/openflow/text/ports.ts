import { formatMac } from '../../bytes/index.ts';
import { PORT_CONFIG, PORT_FEATURES, PORT_STATE, type Port, type PortStats } from '../message.ts';
import { formatDuration } from './flow.ts';
import { formatPort, type TextNames } from './names.ts';
import { formatBits } from './reply.ts';

const FEATURE_NAMES: readonly (readonly [string, number])[] = [
  ['10MB-HD', PORT_FEATURES.hd10M],
  ['10MB-FD', PORT_FEATURES.fd10M],
  ['100MB-HD', PORT_FEATURES.hd100M],
  ['100MB-FD', PORT_FEATURES.fd100M],
  ['1GB-HD', PORT_FEATURES.hd1G],
  ['1GB-FD', PORT_FEATURES.fd1G],
  ['10GB-FD', PORT_FEATURES.fd10G],
  ['40GB-FD', PORT_FEATURES.fd40G],
  ['100GB-FD', PORT_FEATURES.fd100G],
  ['1TB-FD', PORT_FEATURES.fd1T],
  ['OTHER', PORT_FEATURES.other],
  ['COPPER', PORT_FEATURES.copper],
  ['FIBER', PORT_FEATURES.fiber],
  ['AUTO_NEG', PORT_FEATURES.autoneg],
  ['AUTO_PAUSE', PORT_FEATURES.pause],
  ['AUTO_PAUSE_ASYM', PORT_FEATURES.pauseAsymmetric],
];

const CONFIG_NAMES: readonly (readonly [string, number])[] = [
  ['PORT_DOWN', PORT_CONFIG.portDown],
  ['NO_STP', PORT_CONFIG.noStp],
  ['NO_RECV', PORT_CONFIG.noRecv],
  ['NO_RECV_STP', PORT_CONFIG.noRecvStp],
  ['NO_FLOOD', PORT_CONFIG.noFlood],
  ['NO_FWD', PORT_CONFIG.noFwd],
  ['NO_PACKET_IN', PORT_CONFIG.noPacketIn],
];

const STATE_NAMES: readonly (readonly [string, number])[] = [
  ['LINK_DOWN', PORT_STATE.linkDown],
  ['BLOCKED', PORT_STATE.blocked],
  ['LIVE', PORT_STATE.live],
];

/** Speed in Mbit/s of the fastest mode, for OpenFlow 1.0, which has no number for it. */
const FEATURE_MBPS: readonly (readonly [number, number])[] = [
  [PORT_FEATURES.fd1T, 1_000_000],
  [PORT_FEATURES.fd100G, 100_000],
  [PORT_FEATURES.fd40G, 40_000],
  [PORT_FEATURES.fd10G, 10_000],
  [PORT_FEATURES.hd1G | PORT_FEATURES.fd1G, 1000],
  [PORT_FEATURES.hd100M | PORT_FEATURES.fd100M, 100],
  [PORT_FEATURES.hd10M | PORT_FEATURES.fd10M, 10],
];

/** A port as `ovs-ofctl show` describes it: five lines or more. */
export function formatPortDescription(port: Port): string[] {
  const lines = [
    ` ${formatPort(port.number)}(${port.name}): addr:${formatMac(port.hardwareAddress)}`,
    `     config:     ${formatBits(port.config, CONFIG_NAMES)}`,
    `     state:      ${formatBits(port.state & ~PORT_STATE.stpMask, STATE_NAMES)}`,
  ];
  const features = {
    'current:   ': port.current,
    advertised: port.advertised,
    supported: port.supported,
    peer: port.peer,
  };
  for (const [name, bits] of Object.entries(features)) {
    const label = name.endsWith(' ') ? name : `${name}:`;
    if (bits !== 0) lines.push(`     ${label.padEnd(12)}${formatBits(bits, FEATURE_NAMES)}`);
  }
  const now = port.currentSpeed > 0 ? Math.floor(port.currentSpeed / 1000) : mbpsOf(port.current);
  const max = port.maxSpeed > 0 ? Math.floor(port.maxSpeed / 1000) : mbpsOf(port.supported);
  lines.push(`     speed: ${now} Mbps now, ${max} Mbps max`);
  return lines;
}

function mbpsOf(features: number): number {
  return FEATURE_MBPS.find(([bits]) => (features & bits) !== 0)?.[1] ?? 0;
}

const UNKNOWN_COUNTER = 2n ** 64n - 1n;

/** A port's counters as `ovs-ofctl dump-ports` shows them; a counter that the port does not have is `?`. */
export function formatPortStats(stats: PortStats, names: TextNames = {}): string[] {
  const count = (value: bigint): string => (value === UNKNOWN_COUNTER ? '?' : String(value));
  const { rxPackets, rxBytes, rxDropped, rxErrors, rxFrameErrors, rxOverErrors, rxCrcErrors } = stats;
  const { txPackets, txBytes, txDropped, txErrors, collisions } = stats;
  const lines = [
    `  port ${formatPort(stats.port, names).padStart(2)}: rx pkts=${count(rxPackets)}, bytes=${count(rxBytes)}, ` +
      `drop=${count(rxDropped)}, errs=${count(rxErrors)}, ` +
      `frame=${count(rxFrameErrors)}, over=${count(rxOverErrors)}, crc=${count(rxCrcErrors)}`,
    `           tx pkts=${count(txPackets)}, bytes=${count(txBytes)}, ` +
      `drop=${count(txDropped)}, errs=${count(txErrors)}, coll=${count(collisions)}`,
  ];
  if (stats.durationSec !== undefined) {
    lines.push(`           duration=${formatDuration(stats.durationSec, stats.durationNsec ?? 0)}`);
  }
  return lines;
}
