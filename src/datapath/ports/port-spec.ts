import { existsSync } from 'node:fs';
import { DatapathError } from '../errors.ts';
import { AfPacketDriver } from './af-packet-driver.ts';
import { AfXdpDriver } from './af-xdp-driver.ts';
import type { PortDriver } from './driver.ts';
import { NullDriver } from './null-driver.ts';
import { PcapDriver } from './pcap-driver.ts';
import { TapDriver } from './tap-driver.ts';
import type { XdpMode } from './xdp-program.ts';

/** What a port stands on, as plain data: it can be sent to the thread that is to open it. */
export type PortSpec =
  | { readonly kind: 'system'; readonly device: string }
  | { readonly kind: 'tap'; readonly device: string }
  | { readonly kind: 'afxdp'; readonly device: string; readonly mode?: XdpMode; readonly queues?: readonly number[] }
  /** Over AF_XDP if that goes, else over AF_PACKET. */
  | { readonly kind: 'fastest'; readonly device: string }
  | { readonly kind: 'pcap'; readonly rx?: string; readonly tx?: string; readonly infinite?: boolean }
  | { readonly kind: 'null'; readonly size?: number };

/** @throws DatapathError DATAPATH_CANNOT_OPEN, PacketError for a capture */
export function openDriver(name: string, spec: PortSpec): PortDriver {
  switch (spec.kind) {
    case 'system':
      return new AfPacketDriver(spec.device);
    case 'tap':
      return new TapDriver(spec.device);
    case 'afxdp':
      return new AfXdpDriver(spec.device, spec);
    case 'fastest':
      return openFastest(spec.device);
    case 'pcap':
      return new PcapDriver(name, spec);
    case 'null':
      return new NullDriver(name, spec.size);
  }
}

/**
 * AF_XDP for a device with hardware under it. A veth or another virtual device gets AF_PACKET: its peer leaves checksums and
 * segments to be finished, which AF_XDP cannot carry, and TCP would stand still.
 */
function openFastest(device: string): PortDriver {
  if (!existsSync(`/sys/class/net/${device}/device`)) return new AfPacketDriver(device);
  try {
    return new AfXdpDriver(device);
  } catch (error) {
    if (!(error instanceof DatapathError)) throw error;
    return new AfPacketDriver(device);
  }
}

/**
 * What a port of type `dpdk` stands on, from its `options:dpdk-devargs` (DPDK's names of software devices); without them, the
 * interface of the port's own name.
 *
 * @throws DatapathError DATAPATH_BAD_DEVARGS
 */
export function dpdkSpec(name: string, devargs: string | undefined): PortSpec {
  if (devargs === undefined || devargs === '') return { kind: 'fastest', device: name };
  const [device, ...pairs] = devargs.split(',');
  const options = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw badDevargs(devargs, `"${pair}" is no key=value`);
    options.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const driver = /^(?:eth|net)_([a-z_]+?)\d*$/.exec(device)?.[1];
  const take = (key: string): string | undefined => {
    const value = options.get(key);
    options.delete(key);
    return value;
  };
  const number = (key: string, most: number): number | undefined => {
    const text = take(key);
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text) || Number(text) > most)
      throw badDevargs(devargs, `${key}=${text} is no number up to ${most}`);
    return Number(text);
  };
  const iface = (): string => {
    const value = take('iface');
    if (value === undefined || value === '') throw badDevargs(devargs, 'iface=DEVICE is missing');
    return value;
  };
  const spec = ((): PortSpec => {
    switch (driver) {
      case 'af_xdp': {
        const first = number('start_queue', 1023);
        const count = number('queue_count', 64);
        const queues = Array.from({ length: count ?? 1 }, (_, i) => (first ?? 0) + i);
        const device = iface();
        return { kind: 'afxdp', device, ...(first === undefined && count === undefined ? {} : { queues }) };
      }
      case 'af_packet':
        return { kind: 'system', device: iface() };
      case 'tap':
        return { kind: 'tap', device: iface() };
      case 'pcap': {
        const rx = take('rx_pcap');
        const tx = take('tx_pcap');
        const through = take('iface');
        if (through !== undefined) return { kind: 'system', device: through };
        if (rx === undefined && tx === undefined) throw badDevargs(devargs, 'rx_pcap=FILE or tx_pcap=FILE is missing');
        return {
          kind: 'pcap',
          ...(rx === undefined ? {} : { rx }),
          ...(tx === undefined ? {} : { tx }),
          infinite: number('infinite_rx', 1) === 1,
        };
      }
      case 'null':
        return { kind: 'null', size: number('size', 1518) ?? 64 };
      default:
        throw badDevargs(
          devargs,
          /^[\da-f:.]+$/i.test(device)
            ? 'a PCI address names a device without its kernel driver, which Oko does not drive; name its interface: net_af_xdp0,iface=DEVICE'
            : 'known are net_af_xdp, net_af_packet, net_tap, net_pcap and net_null',
        );
    }
  })();
  const [unknown] = options.keys();
  if (unknown !== undefined) throw badDevargs(devargs, `${device} has no option "${unknown}" here`);
  return spec;
}

function badDevargs(devargs: string, flaw: string): DatapathError {
  return new DatapathError('DATAPATH_BAD_DEVARGS', `dpdk-devargs "${devargs}": ${flaw}`);
}
