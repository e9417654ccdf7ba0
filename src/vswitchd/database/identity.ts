import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { openVswitch } from '../../ovsdb/index.ts';
import type { Client } from '../config/index.ts';
import type { Folders } from '../folders.ts';

/** Makes the root row of the database where there is none, and says in it where the switch runs, as Open vSwitch's start script does. */
export async function identify(client: Client, { rundir, sysconfdir }: Folders): Promise<void> {
  const [root] = client.rows('Open_vSwitch').values();
  const { id, version } = distribution();
  const systemId = root?.external_ids.get('system-id') ?? readText(`${sysconfdir}/openvswitch/system-id.conf`);
  const columns = {
    db_version: openVswitch.version,
    system_type: id ?? root?.system_type ?? null,
    system_version: version ?? root?.system_version ?? null,
    external_ids: new Map([
      ['hostname', hostname()],
      ...(root?.external_ids ?? []),
      ['rundir', rundir],
      ...(systemId === undefined ? [] : ([['system-id', systemId]] as const)),
    ]),
  };
  const transaction = client.transaction().comment('oko: init');
  if (root === undefined) transaction.insert('Open_vSwitch', columns);
  else transaction.update('Open_vSwitch', root._uuid, columns);
  await transaction.commit();
}

/** os-release(5) */
function distribution(): { readonly id: string | undefined; readonly version: string | undefined } {
  const text = readText('/etc/os-release') ?? '';
  const field = (name: string): string | undefined => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1];
  return { id: field('ID'), version: field('VERSION_ID') };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
