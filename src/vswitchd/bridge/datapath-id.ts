import { formatMac, parseMac } from '../../bytes/index.ts';
import type { Uuid } from '../../ovsdb/index.ts';
import type { Row } from '../config/index.ts';

/** The address that a bridge has when nothing better is known: of its row's UUID, marked as locally administered. */
function defaultMac(uuid: Uuid): Uint8Array {
  const hex = uuid.replaceAll('-', '');
  // The words of a UUID lie in memory with their lowest byte first.
  const bytes = [6, 4, 2, 0, 14, 12].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const mac = Uint8Array.from(bytes);
  mac[0] = (mac[0] & 0xfe) | 0x02;
  return mac;
}

/** Addresses that stand for the bridge are those of one station, and not all zero. */
function canStandForBridge(mac: Uint8Array): boolean {
  return (mac[0] & 1) === 0 && mac.some((byte) => byte !== 0);
}

/**
 * The address of a bridge's own port: other_config:hwaddr, else the lowest of its other ports' (`macs`), else one made of
 * its UUID. Row `uuid` is the bridge's.
 */
export function bridgeMac(row: Row<'Bridge'>, macs: Iterable<Uint8Array>): Uint8Array {
  const configured = parseMac(row.other_config.get('hwaddr') ?? '');
  if (configured !== undefined && canStandForBridge(configured)) return configured;
  let lowest: string | undefined;
  for (const mac of macs) {
    const text = formatMac(mac);
    if (canStandForBridge(mac) && (lowest === undefined || text < lowest)) lowest = text;
  }
  return (lowest === undefined ? undefined : parseMac(lowest)) ?? defaultMac(row._uuid);
}

/** other_config:datapath-id, 16 hexadecimal digits or 0x and up to 16, not zero; else the bridge's address. */
export function bridgeDatapathId(row: Row<'Bridge'>, mac: Uint8Array): bigint {
  const text = row.other_config.get('datapath-id') ?? '';
  if (/^([0-9a-f]{16}|0x[0-9a-f]{1,16})$/i.test(text)) {
    const id = BigInt(text.toLowerCase().startsWith('0x') ? text : `0x${text}`);
    if (id !== 0n) return id;
  }
  return mac.reduce((id, byte) => (id << 8n) | BigInt(byte), 0n);
}

/** Column Bridge.datapath_id. */
export function datapathIdText(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}
