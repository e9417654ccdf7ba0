import { scalarDatum } from '../../ovsdb/index.ts';
import { setColumn } from './column-argument.ts';
import { type CommandContext, fail } from './context.ts';
import type { PortNode } from './layout.ts';

export function listPorts(context: CommandContext): void {
  const bridge = context.layout.bridge(context.args[0]);
  const names = [...bridge.ports].map(({ name }) => name).filter((name) => name !== bridge.name);
  for (const name of names.sort()) context.print(name);
}

export function listInterfaces(context: CommandContext): void {
  const bridge = context.layout.bridge(context.args[0]);
  const names = [...bridge.ports].flatMap(({ interfaces }) => [...interfaces].map(({ name }) => name));
  for (const name of names.filter((one) => one !== bridge.name).sort()) context.print(name);
}

export function addPort(context: CommandContext): void {
  const [bridge, port, ...settings] = context.args;
  add(context, bridge, port, [port], settings);
}

export function addBond(context: CommandContext): void {
  const [bridge, port, ...rest] = context.args;
  const firstSetting = rest.findIndex((arg) => arg.includes('='));
  const count = firstSetting < 0 ? rest.length : firstSetting;
  if (count < 2) fail(`add-bond requires at least 2 interfaces, but only ${count} were specified`);
  const made = add(context, bridge, port, rest.slice(0, count), rest.slice(count));
  if (context.has('--fake-iface')) made?.row.write('bond_fake_iface', scalarDatum(true));
}

function add(
  context: CommandContext,
  bridgeName: string,
  name: string,
  interfaces: readonly string[],
  settings: readonly string[],
): PortNode | undefined {
  const { layout, transaction } = context;
  const bridge = layout.bridge(bridgeName);
  const known = layout.findPort(name);
  if (context.has('--may-exist') && known) {
    if (known.bridge !== bridge)
      fail(`"${context.text}" but ${name} is actually attached to bridge ${known.bridge.name}`);
    const has = [...known.interfaces].map((node) => node.name).sort();
    if (has.join() !== [...interfaces].sort().join())
      fail(`"${context.text}" but ${name} actually has interface(s) ${has.join(', ')}`);
    return undefined;
  }
  layout.checkFree(name, `cannot create a port named ${name}`);
  for (const one of interfaces) layout.checkFree(one, `cannot create an interface named ${one}`);
  const port = layout.addPort(bridge, name, interfaces);
  transaction.expectedInterfaces.push(...[...port.interfaces].map(({ row }) => row));
  for (const setting of settings) setColumn(transaction, port.row, setting);
  return port;
}

export function addBondInterface(context: CommandContext): void {
  const [portName, name] = context.args;
  const { layout } = context;
  const port = layout.port(portName);
  const known = layout.findInterface(name);
  if (context.has('--may-exist') && known) {
    if (known.port !== port) fail(`"${context.text}" but ${name} is actually attached to port ${known.port.name}`);
    return;
  }
  layout.checkFree(name, `cannot create an interface named ${name}`);
  context.transaction.expectedInterfaces.push(layout.addInterface(port, name).row);
}

export function deleteBondInterface(context: CommandContext): void {
  const { layout, args } = context;
  const name = args[args.length - 1];
  const node = context.has('--if-exists') ? layout.findInterface(name) : layout.interface(name);
  if (!node) return;
  const port = args.length === 1 ? node.port : layout.port(args[0]);
  if (node.port !== port) fail(`port ${port.name} does not have an interface ${name}`);
  if (port.interfaces.size === 1) fail(`cannot delete last interface from port ${port.name}`);
  layout.deleteInterface(node);
}

export function deletePort(context: CommandContext): void {
  const { layout, args } = context;
  const name = args[args.length - 1];
  const mustExist = !context.has('--if-exists');
  if (layout.bridges.has(name)) {
    if (mustExist)
      fail(
        `cannot delete port ${name} because it is the local port for bridge ${name} (deleting this port requires deleting the entire bridge)`,
      );
    return;
  }
  const byInterface = context.has('--with-iface');
  const port = layout.findPort(name) ?? (byInterface ? layout.findInterface(name)?.port : undefined);
  if (!port) {
    if (mustExist) fail(`no port ${byInterface ? 'or interface ' : ''}named ${name}`);
    return;
  }
  if (args.length === 2) checkOnBridge(context, port, args[0]);
  layout.deletePort(port);
}

function checkOnBridge({ layout }: CommandContext, port: PortNode, bridgeName: string): void {
  const bridge = layout.bridge(bridgeName);
  if (port.bridge === bridge) return;
  const child = port.bridge.parent === bridge ? ` (although its child bridge ${port.bridge.name} does)` : '';
  fail(`bridge ${bridgeName} does not have a port ${port.name}${child}`);
}

export function portToBridge(context: CommandContext): void {
  context.print(context.layout.port(context.args[0]).bridge.name);
}

export function interfaceToBridge(context: CommandContext): void {
  context.print(context.layout.interface(context.args[0]).port.bridge.name);
}
