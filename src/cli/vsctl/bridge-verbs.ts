import { scalarDatum } from '../../ovsdb/index.ts';
import { type CommandContext, ExitNow, fail } from './context.ts';
import type { BridgeNode } from './layout.ts';

const FAKE_BRIDGE_PREFIX = 'fake-bridge-';

export function addBridge(context: CommandContext): void {
  const [name, parentName, vlanText] = context.args;
  const { layout } = context;
  if (context.args.length === 2) fail("'add-br' command takes exactly 1 or 3 arguments");
  const vlan = vlanText === undefined ? 0 : Number.parseInt(vlanText, 10) || 0;
  if (vlan < 0 || vlan > 4095) fail('add-br: vlan must be between 0 and 4095');
  const known = layout.bridges.get(name);
  if (context.has('--may-exist') && known) {
    checkSame(known, parentName, vlan);
    return;
  }
  layout.checkFree(name, `cannot create a bridge named ${name}`);
  if (parentName === undefined) {
    layout.addBridge(name);
  } else {
    const parent = layout.bridges.get(parentName);
    if (parent?.parent) fail('cannot create bridge with fake bridge as parent');
    if (!parent) fail(`parent bridge ${parentName} does not exist`);
    const other = parent.children.get(vlan);
    if (other) fail(`bridge ${parentName} already has a child VLAN bridge ${other.name} on VLAN ${vlan}`);
    layout.addFakeBridge(name, parent, vlan);
  }
  const local = layout.interfaces.get(name);
  local?.row.write('type', scalarDatum('internal'));
  if (local) context.transaction.expectedInterfaces.push(local.row);
}

function checkSame({ name, parent, vlan: has }: BridgeNode, parentName: string | undefined, vlan: number): void {
  if (parentName === undefined) {
    if (parent) fail(`"--may-exist add-br ${name}" but ${name} is a VLAN bridge for VLAN ${has}`);
    return;
  }
  const command = `"--may-exist add-br ${name} ${parentName} ${vlan}"`;
  if (!parent) fail(`${command} but ${name} is not a VLAN bridge`);
  if (parent.name !== parentName) fail(`${command} but ${name} has the wrong parent ${parent.name}`);
  if (has !== vlan) fail(`${command} but ${name} is a VLAN bridge for the wrong VLAN ${has}`);
}

export function deleteBridge(context: CommandContext): void {
  const { layout, args } = context;
  const bridge = context.has('--if-exists') ? layout.bridges.get(args[0]) : layout.bridge(args[0]);
  if (bridge) layout.deleteBridge(bridge);
}

export function listBridges(context: CommandContext): void {
  const [isReal, isFake] = [context.has('--real'), context.has('--fake')];
  const wanted = [...context.layout.bridges.values()].filter(
    ({ parent }) => isReal === isFake || (parent ? isFake : isReal),
  );
  for (const name of wanted.map((bridge) => bridge.name).sort()) context.print(name);
}

export function bridgeExists({ layout, args }: CommandContext): void {
  if (!layout.bridges.has(args[0])) throw new ExitNow(2);
}

export function bridgeToVlan(context: CommandContext): void {
  context.print(String(context.layout.bridge(context.args[0]).vlan));
}

export function bridgeToParent(context: CommandContext): void {
  const bridge = context.layout.bridge(context.args[0]);
  context.print((bridge.parent ?? bridge).name);
}

export function setExternalId({ layout, args }: CommandContext): void {
  const [name, key, value] = args;
  const bridge = layout.bridge(name);
  const row = bridge.fakePort ?? bridge.row;
  const fullKey = bridge.fakePort ? `${FAKE_BRIDGE_PREFIX}${key}` : key;
  if (value === undefined) row.remove('external_ids', { keys: [fullKey], values: [] });
  else row.add('external_ids', { keys: [fullKey], values: [value] });
}

export function getExternalId(context: CommandContext): void {
  const [name, key] = context.args;
  const bridge = context.layout.bridge(name);
  const prefix = bridge.fakePort ? FAKE_BRIDGE_PREFIX : '';
  const ids = (bridge.fakePort ?? bridge.row).get('external_ids');
  ids.keys.forEach((atom, i) => {
    const full = String(atom);
    if (!full.startsWith(prefix)) return;
    const short = full.slice(prefix.length);
    if (key === undefined) context.print(`${short}=${String(ids.values[i])}`);
    else if (key === short) context.print(String(ids.values[i]));
  });
}
