import type { MirrorSettings } from '../../ofproto/index.ts';
import type { Uuid } from '../../ovsdb/index.ts';
import type { Row } from '../config/index.ts';

/**
 * What a Mirror row comes to; undefined while it has no output. `numbersOf` gives the OpenFlow numbers that a Port row has:
 * none while its device is missing.
 */
export function planMirror(
  row: Row<'Mirror'>,
  numbersOf: (port: Uuid) => readonly number[],
): MirrorSettings | undefined {
  const output = outputOf(row, numbersOf);
  if (output === undefined) return undefined;
  const all = (ports: readonly Uuid[]): MirrorSettings['sources'] =>
    row.select_all ? 'all' : new Set(ports.flatMap(numbersOf));
  return {
    // Names of rows need not differ.
    name: row._uuid,
    sources: all(row.select_src_port),
    destinations: all(row.select_dst_port),
    output,
    ...(row.select_vlan.length === 0 ? {} : { vlans: new Set(row.select_vlan) }),
    ...(row.snaplen === null ? {} : { snaplen: row.snaplen }),
  };
}

function outputOf(
  row: Row<'Mirror'>,
  numbersOf: (port: Uuid) => readonly number[],
): MirrorSettings['output'] | undefined {
  if (row.output_port === null) return row.output_vlan === null ? undefined : { vlan: row.output_vlan };
  const [port] = numbersOf(row.output_port);
  return port === undefined ? undefined : { port };
}
