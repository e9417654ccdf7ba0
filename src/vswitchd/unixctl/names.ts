import { OFPP, type TextNames } from '../../openflow/index.ts';
import { refusal } from './errors.ts';
import type { BridgeView, PortView, SwitchView } from './switch-view.ts';

/** @throws UnixctlError UNIXCTL_REFUSED, with the text that the command at hand has for it */
export function bridgeNamed(view: SwitchView, name: string, otherwise = 'no such bridge'): BridgeView {
  const found = view.bridges().find(({ bridge }) => bridge.name === name);
  if (found === undefined) throw refusal(otherwise);
  return found;
}

/** The bridges that an optional argument means: one, or all. @throws UnixctlError UNIXCTL_REFUSED */
export function bridgesNamed(view: SwitchView, name: string | undefined, otherwise?: string): readonly BridgeView[] {
  return name === undefined ? view.bridges() : [bridgeNamed(view, name, otherwise)];
}

export interface FoundPort {
  readonly bridge: BridgeView;
  readonly port: PortView;
}

/** The ports of all bridges that are so. */
export function portsWhere(view: SwitchView, isWanted: (port: PortView, bridge: BridgeView) => boolean): FoundPort[] {
  return view.bridges().flatMap((bridge) =>
    bridge
      .ports()
      .filter((port) => isWanted(port, bridge))
      .map((port) => ({ bridge, port })),
  );
}

/** A port of any bridge, with its bridge. */
export function portNamed(view: SwitchView, name: string): FoundPort | undefined {
  return portsWhere(view, (port) => port.name === name)[0];
}

/** Names of a bridge's ports, for texts of flows. */
export function portNames({ ports }: BridgeView): TextNames {
  return {
    ports: {
      numberOf: (name) => ports().find((port) => port.name === name)?.number,
      nameOf: (number) => ports().find((port) => port.number === number)?.name,
    },
  };
}

const FIRST_DUMMY_BRIDGE = 100;

/**
 * The number of a port in the datapath: OpenFlow's, but for the bridge's own, which is 0; in a dummy datapath the own port of
 * `brN` is 100 + N, as tests of Open vSwitch expect.
 */
export function datapathPort({ bridge, datapathType }: BridgeView, number: number): number {
  if (number !== OFPP.local) return number;
  const [, digits] = /^br(\d{1,3})$/.exec(bridge.name) ?? [];
  return datapathType === 'dummy' && digits !== undefined ? FIRST_DUMMY_BRIDGE + Number(digits) : 0;
}

/** The datapath that bridges of a type share, as `netdev@ovs-netdev`. */
export function datapathName({ datapathType }: BridgeView): string {
  return `${datapathType}@ovs-${datapathType}`;
}
