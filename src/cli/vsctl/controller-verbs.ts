import { type Datum, EMPTY_DATUM, scalarDatum, type Uuid } from '../../ovsdb/index.ts';
import { type CommandContext, fail } from './context.ts';

const REMOTE = /^(tcp|ssl|unix|ptcp|pssl|punix|fd):./;

export function getController(context: CommandContext): void {
  const { row } = context.layout.bridge(context.args[0]);
  printTargets(context, 'Controller', row.uuids('controller'));
}

function printTargets(context: CommandContext, table: 'Controller' | 'Manager', uuids: readonly Uuid[]): void {
  const targets = uuids.flatMap((uuid) => context.draft.row(table, uuid)?.text('target') ?? []);
  for (const target of targets.sort()) context.print(target);
}

export function deleteController(context: CommandContext): void {
  const { row } = context.layout.realBridge(context.args[0]);
  for (const uuid of row.uuids('controller')) context.draft.row('Controller', uuid)?.delete();
  row.write('controller', EMPTY_DATUM);
}

export function setController(context: CommandContext): void {
  const [name, ...targets] = context.args;
  const { row } = context.layout.realBridge(name);
  deleteController(context);
  row.write('controller', context.layout.insertTargets('Controller', checked(context, targets), probeOf(context)));
}

function checked(context: CommandContext, targets: readonly string[]): readonly string[] {
  for (const target of targets) if (!REMOTE.test(target)) context.warn(`target type "${target}" is possibly erroneous`);
  return targets;
}

function probeOf(context: CommandContext): number | undefined {
  const text = context.option('--inactivity-probe');
  return text === undefined ? undefined : Number.parseInt(text, 10) || 0;
}

export function getFailMode(context: CommandContext): void {
  const mode = context.layout.bridge(context.args[0]).row.text('fail_mode');
  if (mode !== '') context.print(mode);
}

export function deleteFailMode(context: CommandContext): void {
  context.layout.realBridge(context.args[0]).row.write('fail_mode', EMPTY_DATUM);
}

export function setFailMode(context: CommandContext): void {
  const [name, mode] = context.args;
  const { row } = context.layout.realBridge(name);
  if (mode !== 'standalone' && mode !== 'secure') fail('fail-mode must be "standalone" or "secure"');
  row.write('fail_mode', scalarDatum(mode));
}

export function getManager(context: CommandContext): void {
  printTargets(context, 'Manager', context.root.uuids('manager_options'));
}

export function deleteManager(context: CommandContext): void {
  for (const uuid of context.root.uuids('manager_options')) context.draft.row('Manager', uuid)?.delete();
  context.root.write('manager_options', EMPTY_DATUM);
}

export function setManager(context: CommandContext): void {
  deleteManager(context);
  const targets = checked(context, context.args);
  context.root.write('manager_options', context.layout.insertTargets('Manager', targets, probeOf(context)));
}

export function getSsl(context: CommandContext): void {
  const [uuid] = context.root.uuids('ssl');
  const row = uuid === undefined ? undefined : context.draft.row('SSL', uuid);
  if (!row) return;
  context.print(`Private key: ${row.text('private_key')}`);
  context.print(`Certificate: ${row.text('certificate')}`);
  context.print(`CA Certificate: ${row.text('ca_cert')}`);
  context.print(`Bootstrap: ${row.text('bootstrap_ca_cert')}`);
}

export function deleteSsl(context: CommandContext): void {
  for (const uuid of context.root.uuids('ssl')) context.draft.row('SSL', uuid)?.delete();
  context.root.write('ssl', EMPTY_DATUM);
}

export function setSsl(context: CommandContext): void {
  deleteSsl(context);
  const row = context.draft.insert('SSL');
  const [privateKey, certificate, caCertificate] = context.args;
  row.write('private_key', scalarDatum(privateKey));
  row.write('certificate', scalarDatum(certificate));
  row.write('ca_cert', scalarDatum(caCertificate));
  row.write('bootstrap_ca_cert', scalarDatum(context.has('--bootstrap')));
  context.root.write('ssl', scalarDatum(row.uuid));
}

/** Takes away controllers, managers, SSL, mirrors, flow exporters and other_config; ovs-vsctl(8) says what stays. */
export function emergencyReset(context: CommandContext): void {
  const { draft, root } = context;
  for (const bridge of draft.rows('Bridge')) {
    for (const column of ['controller', 'fail_mode', 'mirrors', 'netflow', 'sflow', 'ipfix'])
      bridge.write(column, EMPTY_DATUM);
    bridge.write('other_config', only(bridge.get('other_config'), 'hwaddr'));
  }
  for (const port of draft.rows('Port')) port.write('other_config', EMPTY_DATUM);
  for (const row of draft.rows('Interface')) {
    row.write('ingress_policing_rate', scalarDatum(0));
    row.write('ingress_policing_burst', scalarDatum(0));
  }
  for (const table of ['Mirror', 'Controller', 'Manager', 'NetFlow', 'SSL', 'sFlow', 'IPFIX'])
    for (const row of draft.rows(table)) row.delete();
  root.write('manager_options', EMPTY_DATUM);
  root.write('ssl', EMPTY_DATUM);
  context.transaction.forgetLayout();
}

function only({ keys, values }: Datum, key: string): Datum {
  const at = keys.indexOf(key);
  return at < 0 ? EMPTY_DATUM : { keys: [key], values: [values[at]] };
}
