import type { OvsdbClient, openVswitch, RowOf, TableName, Uuid } from '../../ovsdb/index.ts';

export type OpenVswitch = typeof openVswitch;
export type Row<T extends TableName<OpenVswitch>> = RowOf<OpenVswitch, T>;
export type Client = OvsdbClient<OpenVswitch>;

/** The rows that a set of references names, those that are there. */
export function rowsOf<T extends TableName<OpenVswitch>>(
  client: Client,
  table: T,
  uuids: readonly Uuid[],
): readonly Row<T>[] {
  const rows = client.rows(table);
  return uuids.flatMap((uuid) => rows.get(uuid) ?? []);
}
