import type { TextNames } from '../../openflow/index.ts';
import { OFPP, type Port } from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import { switchAddress } from './address.ts';
import { OpenflowClient } from './client.ts';

/** Options that every verb takes. */
export interface OfctlOptions {
  readonly protocols?: readonly OpenflowVersion[];
  readonly strict?: boolean;
  readonly bundle?: boolean;
  readonly stats?: boolean;
  readonly names?: boolean;
  readonly sort?: string | true;
  readonly rsort?: string | true;
}

/** A connection for one command, and what goes with it. */
export interface OfctlSession {
  readonly client: OpenflowClient;
  readonly version: OpenflowVersion;
  readonly options: OfctlOptions;
  readonly out: (line: string) => void;
}

/** Runs a command on a connection to a switch and closes it, whatever comes of it. */
export async function withSwitch(
  name: string,
  options: OfctlOptions,
  run: (session: OfctlSession) => Promise<void>,
  versions: readonly OpenflowVersion[] = versionsOf(options),
): Promise<void> {
  const client = await OpenflowClient.connect(switchAddress(name), versions);
  try {
    const out = (line: string): void => void process.stdout.write(`${line}\n`);
    await run({ client, version: client.dialect.version, options, out });
  } finally {
    client.close();
  }
}

/** OpenFlow 1.0 unless -O says otherwise, or bundles are asked for, which 1.4 brought. */
function versionsOf({ protocols, bundle }: OfctlOptions): readonly OpenflowVersion[] {
  if (protocols !== undefined) return protocols;
  return [bundle === true ? OPENFLOW_VERSIONS.of14 : OPENFLOW_VERSIONS.of10];
}

/**
 * OpenFlow 1.0 flows in Nicira's form, which has a place for every field and for tables; later versions need nothing.
 */
export async function useNxm({ client, version }: OfctlSession): Promise<void> {
  if (version !== OPENFLOW_VERSIONS.of10) return;
  await client.perform([{ type: 'nx_set_flow_format', nxm: true }]);
  await client.perform([{ type: 'nx_flow_mod_table_id', enable: true }]);
  client.dialect = { ...client.dialect, nxm: true, tableId: true };
}

/** The ports of the switch, from its features or from the statistics that later versions have for them. */
export async function fetchPorts({ client, version }: OfctlSession): Promise<Port[]> {
  if (version === OPENFLOW_VERSIONS.of10) {
    const reply = await client.request({ type: 'features_request' });
    return reply.type === 'features_reply' ? [...reply.ports] : [];
  }
  const ports: Port[] = [];
  for await (const { body } of client.multipart({ kind: 'port_desc', port: OFPP.none })) {
    if (body.kind === 'port_desc') ports.push(...body.ports);
  }
  return ports;
}

/** Names for the texts that are parsed; for those printed with --names too. */
export function namesOf(ports: readonly Port[]): TextNames {
  const byName = new Map(ports.map(({ name, number }) => [name, number]));
  const byNumber = new Map(ports.map(({ name, number }) => [number, name]));
  return { ports: { numberOf: (name) => byName.get(name), nameOf: (number) => byNumber.get(number) } };
}

/** Does a text use a port by name, so that the switch has to be asked for its ports? */
export async function namesFor(session: OfctlSession): Promise<TextNames> {
  return namesOf(await fetchPorts(session));
}
