import type { Uuid } from '../../ovsdb/index.ts';
import { type Client, type Row, rowsOf } from './rows.ts';

/** What the database says that there shall be: rows, which never change, taken at one moment. */
export interface Configuration {
  readonly root: Row<'Open_vSwitch'>;
  readonly bridges: readonly BridgeConfig[];
  readonly managers: readonly Row<'Manager'>[];
  readonly ssl: Row<'SSL'> | undefined;
}

export interface BridgeConfig {
  readonly row: Row<'Bridge'>;
  readonly ports: readonly PortConfig[];
  readonly controllers: readonly Row<'Controller'>[];
  readonly mirrors: readonly Row<'Mirror'>[];
  readonly flowTables: ReadonlyMap<number, Row<'Flow_Table'>>;
}

export interface PortConfig {
  readonly row: Row<'Port'>;
  readonly interfaces: readonly Row<'Interface'>[];
}

/** Undefined while the database has no Open_vSwitch row. */
export function readConfiguration(client: Client): Configuration | undefined {
  const [root] = client.rows('Open_vSwitch').values();
  if (root === undefined) return undefined;
  return {
    root,
    bridges: rowsOf(client, 'Bridge', root.bridges)
      .map((row) => readBridge(client, row))
      .sort((a, b) => (a.row.name < b.row.name ? -1 : 1)),
    managers: rowsOf(client, 'Manager', root.manager_options),
    ssl: root.ssl === null ? undefined : client.row('SSL', root.ssl),
  };
}

function readBridge(client: Client, row: Row<'Bridge'>): BridgeConfig {
  return {
    row,
    ports: rowsOf(client, 'Port', row.ports).map((port) => ({
      row: port,
      interfaces: rowsOf(client, 'Interface', port.interfaces),
    })),
    controllers: rowsOf(client, 'Controller', row.controller),
    mirrors: rowsOf(client, 'Mirror', row.mirrors),
    flowTables: new Map([...row.flow_tables].flatMap(([number, uuid]) => flowTable(client, number, uuid))),
  };
}

function flowTable(client: Client, number: number, uuid: Uuid): [number, Row<'Flow_Table'>][] {
  const row = client.row('Flow_Table', uuid);
  return row === undefined ? [] : [[number, row]];
}
