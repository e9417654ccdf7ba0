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

/** A port of any bridge, with its bridge. */
export function portNamed(view: SwitchView, name: string): { bridge: BridgeView; port: PortView } | undefined {
  for (const bridge of view.bridges()) {
    const port = bridge.ports().find((candidate) => candidate.name === name);
    if (port !== undefined) return { bridge, port };
  }
  return undefined;
}
