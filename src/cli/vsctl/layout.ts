import { type Draft, type DraftRow, scalarDatum, setDatum } from '../../ovsdb/index.ts';
import { VsctlError } from './vsctl-error.ts';

/** A bridge as ovs-vsctl sees it: one of the database, or a fake one, which is a port of its parent with a VLAN. */
export interface BridgeNode {
  readonly name: string;
  /** The row in the table Bridge: of a fake bridge its parent's. */
  readonly row: DraftRow;
  /** The row in the table Port that makes a fake bridge. */
  readonly fakePort?: DraftRow;
  readonly parent?: BridgeNode;
  readonly vlan: number;
  readonly ports: Set<PortNode>;
  readonly children: Map<number, BridgeNode>;
}

export interface PortNode {
  readonly name: string;
  readonly row: DraftRow;
  readonly bridge: BridgeNode;
  readonly interfaces: Set<InterfaceNode>;
}

export interface InterfaceNode {
  readonly name: string;
  readonly row: DraftRow;
  readonly port: PortNode;
}

const MAX_VLAN = 4095;

/** The bridges of a database with their ports and interfaces, by name. Changes go into the draft too. */
export class Layout {
  readonly bridges = new Map<string, BridgeNode>();
  readonly ports = new Map<string, PortNode>();
  readonly interfaces = new Map<string, InterfaceNode>();
  readonly #draft: Draft;
  readonly #root: DraftRow;
  readonly #warn: (message: string) => void;

  constructor(draft: Draft, root: DraftRow, warn: (message: string) => void) {
    this.#draft = draft;
    this.#root = root;
    this.#warn = warn;
    const real = this.#referred(root, 'bridges', 'Bridge').map((row) => this.#enterBridge(row));
    for (const bridge of real)
      if (bridge) for (const port of this.#referred(bridge.row, 'ports', 'Port')) this.#enterPort(bridge, port);
  }

  #referred(row: DraftRow, column: string, table: string): DraftRow[] {
    return row.uuids(column).flatMap((uuid) => this.#draft.row(table, uuid) ?? []);
  }

  #enterBridge(row: DraftRow): BridgeNode | undefined {
    const name = row.text('name');
    if (this.bridges.has(name)) {
      this.#warn(`${name}: database contains duplicate bridge name`);
      return undefined;
    }
    const bridge: BridgeNode = { name, row, vlan: 0, ports: new Set(), children: new Map() };
    this.bridges.set(name, bridge);
    for (const port of this.#referred(row, 'ports', 'Port')) this.#enterFakeBridge(bridge, port);
    return bridge;
  }

  #enterFakeBridge(parent: BridgeNode, fakePort: DraftRow): void {
    const name = fakePort.text('name');
    const vlan = vlanOf(fakePort);
    if (fakePort.get('fake_bridge').keys[0] !== true || vlan === undefined || this.bridges.has(name)) return;
    const child: BridgeNode = { name, row: parent.row, fakePort, parent, vlan, ports: new Set(), children: new Map() };
    this.bridges.set(name, child);
    const other = parent.children.get(vlan);
    if (other)
      this.#warn(
        `${parent.name}: bridge has multiple VLAN bridges (${name} and ${other.name}) for VLAN ${vlan}, but only one is allowed`,
      );
    else parent.children.set(vlan, child);
  }

  #enterPort(parent: BridgeNode, row: DraftRow): PortNode | undefined {
    const name = row.text('name');
    const known = this.ports.get(name);
    if (known) {
      this.#warn(
        known.row === row
          ? `${name}: port is in multiple bridges (${parent.name} and ${known.bridge.name})`
          : `${name}: database contains duplicate port name`,
      );
      return undefined;
    }
    const vlan = vlanOf(row);
    const bridge = (vlan === undefined ? undefined : parent.children.get(vlan)) ?? parent;
    const port: PortNode = { name, row, bridge, interfaces: new Set() };
    this.ports.set(name, port);
    bridge.ports.add(port);
    for (const member of this.#referred(row, 'interfaces', 'Interface')) this.#enterInterface(port, member);
    return port;
  }

  #enterInterface(port: PortNode, row: DraftRow): void {
    const name = row.text('name');
    const known = this.interfaces.get(name);
    if (known) {
      this.#warn(
        known.row === row
          ? `${name}: interface is in multiple ports (${port.name} and ${known.port.name})`
          : `${name}: database contains duplicate interface name`,
      );
      return;
    }
    const node: InterfaceNode = { name, row, port };
    this.interfaces.set(name, node);
    port.interfaces.add(node);
  }

  /** Throws VsctlError when there is no such bridge. */
  bridge(name: string): BridgeNode {
    const bridge = this.bridges.get(name);
    if (!bridge) throw new VsctlError(`no bridge named ${name}`);
    return bridge;
  }

  realBridge(name: string): BridgeNode {
    const bridge = this.bridge(name);
    if (bridge.parent) throw new VsctlError(`${name} is a fake bridge`);
    return bridge;
  }

  /** The port of that name, unless it is a bridge's local port. */
  findPort(name: string): PortNode | undefined {
    const port = this.ports.get(name);
    return port && port.bridge.name !== name ? port : undefined;
  }

  port(name: string): PortNode {
    const port = this.findPort(name);
    if (!port) throw new VsctlError(`no port named ${name}`);
    return port;
  }

  findInterface(name: string): InterfaceNode | undefined {
    const node = this.interfaces.get(name);
    return node && node.port.bridge.name !== name ? node : undefined;
  }

  interface(name: string): InterfaceNode {
    const node = this.findInterface(name);
    if (!node) throw new VsctlError(`no interface named ${name}`);
    return node;
  }

  /** Throws VsctlError, beginning with `what`, when a bridge, port or interface has the name. */
  checkFree(name: string, what: string): void {
    if (this.bridges.has(name)) throw new VsctlError(`${what} because a bridge named ${name} already exists`);
    const port = this.ports.get(name);
    if (port) throw new VsctlError(`${what} because a port named ${name} already exists on bridge ${port.bridge.name}`);
    const node = this.interfaces.get(name);
    if (node)
      throw new VsctlError(
        `${what} because an interface named ${name} already exists on bridge ${node.port.bridge.name}`,
      );
  }

  /** A bridge with its local port. */
  addBridge(name: string): BridgeNode {
    const row = this.#draft.insert('Bridge');
    row.write('name', scalarDatum(name));
    this.#root.add('bridges', scalarDatum(row.uuid));
    const bridge: BridgeNode = { name, row, vlan: 0, ports: new Set(), children: new Map() };
    this.bridges.set(name, bridge);
    this.addPort(bridge, name, [name]);
    return bridge;
  }

  addFakeBridge(name: string, parent: BridgeNode, vlan: number): BridgeNode {
    const port = this.addPort(parent, name, [name]);
    port.row.write('fake_bridge', scalarDatum(true));
    port.row.write('tag', scalarDatum(vlan));
    const { row } = parent;
    const child: BridgeNode = { name, row, fakePort: port.row, parent, vlan, ports: new Set(), children: new Map() };
    this.bridges.set(name, child);
    parent.children.set(vlan, child);
    parent.ports.delete(port);
    const moved: PortNode = { ...port, bridge: child, interfaces: new Set() };
    this.ports.set(name, moved);
    child.ports.add(moved);
    for (const { name: memberName, row: memberRow } of port.interfaces) {
      const member: InterfaceNode = { name: memberName, row: memberRow, port: moved };
      this.interfaces.set(memberName, member);
      moved.interfaces.add(member);
    }
    return child;
  }

  addPort(bridge: BridgeNode, name: string, interfaceNames: readonly string[]): PortNode {
    const row = this.#draft.insert('Port');
    row.write('name', scalarDatum(name));
    if (bridge.parent) row.write('tag', scalarDatum(bridge.vlan));
    bridge.row.verify('name');
    bridge.row.add('ports', scalarDatum(row.uuid));
    const port: PortNode = { name, row, bridge, interfaces: new Set() };
    this.ports.set(name, port);
    bridge.ports.add(port);
    for (const interfaceName of interfaceNames) this.addInterface(port, interfaceName);
    return port;
  }

  addInterface(port: PortNode, name: string): InterfaceNode {
    const row = this.#draft.insert('Interface');
    row.write('name', scalarDatum(name));
    port.row.verify('name');
    // A new port's default interface is the zero UUID, which no row has.
    if (port.row.isNew && port.interfaces.size === 0) port.row.write('interfaces', scalarDatum(row.uuid));
    else port.row.add('interfaces', scalarDatum(row.uuid));
    const node: InterfaceNode = { name, row, port };
    this.interfaces.set(name, node);
    port.interfaces.add(node);
    return node;
  }

  deleteInterface(node: InterfaceNode): void {
    node.port.row.remove('interfaces', scalarDatum(node.row.uuid));
    node.row.delete();
    node.port.interfaces.delete(node);
    this.interfaces.delete(node.name);
  }

  deletePort(port: PortNode): void {
    for (const node of port.interfaces) {
      node.row.delete();
      this.interfaces.delete(node.name);
    }
    port.bridge.row.remove('ports', scalarDatum(port.row.uuid));
    port.row.delete();
    port.bridge.ports.delete(port);
    this.ports.delete(port.name);
  }

  deleteBridge(bridge: BridgeNode): void {
    for (const child of [...bridge.children.values()]) this.deleteBridge(child);
    for (const port of [...bridge.ports]) this.deletePort(port);
    this.bridges.delete(bridge.name);
    bridge.parent?.children.delete(bridge.vlan);
    if (bridge.parent) return;
    this.#root.remove('bridges', scalarDatum(bridge.row.uuid));
    bridge.row.delete();
  }

  /** Inserts a row for each of `targets` and gives the references to them. */
  insertTargets(table: 'Controller' | 'Manager', targets: readonly string[], inactivityProbeMs?: number) {
    const rows = targets.map((target) => {
      const row = this.#draft.insert(table);
      row.write('target', scalarDatum(target));
      if (inactivityProbeMs !== undefined) row.write('inactivity_probe', scalarDatum(inactivityProbeMs));
      return row.uuid;
    });
    return setDatum(rows) ?? { keys: [], values: [] };
  }
}

/** The VLAN of an access port. */
function vlanOf(port: DraftRow): number | undefined {
  const [tag] = port.get('tag').keys;
  return typeof tag === 'number' && tag >= 0 && tag <= MAX_VLAN ? tag : undefined;
}
