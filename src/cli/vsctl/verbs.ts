import {
  addBridge,
  bridgeExists,
  bridgeToParent,
  bridgeToVlan,
  deleteBridge,
  getExternalId,
  listBridges,
  setExternalId,
} from './bridge-verbs.ts';
import type { CommandSyntax } from './command-line.ts';
import { type CommandContext, fail } from './context.ts';
import {
  deleteController,
  deleteFailMode,
  deleteManager,
  deleteSsl,
  emergencyReset,
  getController,
  getFailMode,
  getManager,
  getSsl,
  setController,
  setFailMode,
  setManager,
  setSsl,
} from './controller-verbs.ts';
import { add, clear, comment, create, destroy, find, get, list, remove, set, waitUntil } from './database-verbs.ts';
import {
  addBond,
  addBondInterface,
  addPort,
  deleteBondInterface,
  deletePort,
  interfaceToBridge,
  listInterfaces,
  listPorts,
  portToBridge,
} from './port-verbs.ts';
import { show } from './show-verb.ts';

export interface Verb extends CommandSyntax {
  /** As `--commands` and `--help` print them: `!` needed, `?` optional, `*` any number, `+` one or more. */
  readonly usage: string;
  run(context: CommandContext): void;
}

const ANY = Number.POSITIVE_INFINITY;

function verb(
  minArguments: number,
  maxArguments: number,
  usage: string,
  options: readonly string[],
  run: (context: CommandContext) => void,
): Verb {
  return { minArguments, maxArguments, usage, options, run };
}

const MAY = ['--may-exist'];
const IF = ['--if-exists'];

/** Oko has no LLDP, without which these would change the database and nothing else. */
function refuseAutoAttach({ command }: CommandContext): never {
  fail(`'${command.name}' is not supported: Oko does not take part in Auto Attach`);
}

/** The commands of ovs-vsctl(8). */
export const VERBS: ReadonlyMap<string, Verb> = new Map([
  ['init', verb(0, 0, '', [], () => undefined)],
  ['show', verb(0, 0, '', [], show)],
  ['emer-reset', verb(0, 0, '', [], emergencyReset)],
  ['add-br', verb(1, 3, '!NEW-BRIDGE ?PARENT ?NEW-VLAN', MAY, addBridge)],
  ['del-br', verb(1, 1, '!BRIDGE', IF, deleteBridge)],
  ['list-br', verb(0, 0, '', ['--real', '--fake'], listBridges)],
  ['br-exists', verb(1, 1, '!BRIDGE', [], bridgeExists)],
  ['br-to-vlan', verb(1, 1, '!BRIDGE', [], bridgeToVlan)],
  ['br-to-parent', verb(1, 1, '!BRIDGE', [], bridgeToParent)],
  ['br-set-external-id', verb(2, 3, '!BRIDGE !KEY ?VALUE', [], setExternalId)],
  ['br-get-external-id', verb(1, 2, '!BRIDGE ?KEY', [], getExternalId)],
  ['list-ports', verb(1, 1, '!BRIDGE', [], listPorts)],
  ['add-port', verb(2, ANY, '!BRIDGE !NEW-PORT *COLUMN?:KEY=VALUE', MAY, addPort)],
  ['add-bond', verb(4, ANY, '!BRIDGE !BOND +IFACE *COLUMN?:KEY=VALUE', ['--may-exist', '--fake-iface'], addBond)],
  ['add-bond-iface', verb(2, 2, '!BOND !IFACE', MAY, addBondInterface)],
  ['del-bond-iface', verb(1, 2, '?BOND !IFACE', IF, deleteBondInterface)],
  ['del-port', verb(1, 2, '?BRIDGE !PORT|IFACE', ['--if-exists', '--with-iface'], deletePort)],
  ['port-to-br', verb(1, 1, '!PORT', [], portToBridge)],
  ['list-ifaces', verb(1, 1, '!BRIDGE', [], listInterfaces)],
  ['iface-to-br', verb(1, 1, '!IFACE', [], interfaceToBridge)],
  ['get-controller', verb(1, 1, '!BRIDGE', [], getController)],
  ['del-controller', verb(1, 1, '!BRIDGE', [], deleteController)],
  ['set-controller', verb(1, ANY, '!BRIDGE +TARGET', ['--inactivity-probe='], setController)],
  ['get-fail-mode', verb(1, 1, '!BRIDGE', [], getFailMode)],
  ['del-fail-mode', verb(1, 1, '!BRIDGE', [], deleteFailMode)],
  ['set-fail-mode', verb(2, 2, '!BRIDGE !MODE', [], setFailMode)],
  ['get-manager', verb(0, 0, '', [], getManager)],
  ['del-manager', verb(0, 0, '', [], deleteManager)],
  ['set-manager', verb(0, ANY, '+TARGET', ['--inactivity-probe='], setManager)],
  ['get-ssl', verb(0, 0, '', [], getSsl)],
  ['del-ssl', verb(0, 0, '', [], deleteSsl)],
  ['set-ssl', verb(3, 3, '!PRIVATE-KEY !CERTIFICATE !CA-CERT', ['--bootstrap'], setSsl)],
  ['add-aa-mapping', verb(3, 3, '!BRIDGE !ARG !ARG', [], refuseAutoAttach)],
  ['del-aa-mapping', verb(3, 3, '!BRIDGE !ARG !ARG', [], refuseAutoAttach)],
  ['get-aa-mapping', verb(1, 1, '!BRIDGE', [], refuseAutoAttach)],
  ['comment', verb(0, ANY, '*ARG', [], comment)],
  ['get', verb(2, ANY, '!TABLE !RECORD *COLUMN?:KEY', ['--if-exists', '--id='], get)],
  ['list', verb(1, ANY, '!TABLE *RECORD', ['--if-exists', '--columns='], list)],
  ['find', verb(1, ANY, '!TABLE *COLUMN?:KEY=VALUE', ['--columns='], find)],
  ['set', verb(3, ANY, '!TABLE !RECORD +COLUMN?:KEY=VALUE', IF, set)],
  ['add', verb(4, ANY, '!TABLE !RECORD !COLUMN +?KEY=VALUE', IF, add)],
  ['remove', verb(4, ANY, '!TABLE !RECORD !COLUMN +KEY|VALUE|KEY=VALUE', IF, remove)],
  ['clear', verb(3, ANY, '!TABLE !RECORD +COLUMN', IF, clear)],
  ['create', verb(2, ANY, '!TABLE +COLUMN?:KEY=VALUE', ['--id='], create)],
  ['destroy', verb(1, ANY, '!TABLE *RECORD', ['--if-exists', '--all'], destroy)],
  ['wait-until', verb(2, ANY, '!TABLE !RECORD *COLUMN?:KEY=VALUE', [], waitUntil)],
]);

/** The options of all commands: ovs-vsctl takes those of the first one without a `--` before it. */
export const VERB_OPTIONS: ReadonlySet<string> = new Set([...VERBS.values()].flatMap(({ options }) => options));
