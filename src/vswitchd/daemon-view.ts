import type { Clock } from '../datapath/index.ts';
import type { ConfiguredBridge, OpenInterface } from './bridge/index.ts';
import {
  type BridgeView,
  type DummyControl,
  type LogLevels,
  type PortView,
  type SwitchView,
  WarpClock,
} from './unixctl/index.ts';

export interface DaemonViewOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly levels: LogLevels;
  readonly bridges: () => Iterable<ConfiguredBridge>;
  readonly exit: (cleanup: boolean) => Promise<void>;
}

/** The daemon as ovs-appctl sees it. */
export class DaemonView implements SwitchView {
  readonly version: string;
  readonly clock: Clock;
  readonly log: LogLevels;
  readonly dummy?: DummyControl;
  readonly #options: DaemonViewOptions;

  constructor(options: DaemonViewOptions) {
    this.#options = options;
    this.version = `ovs-vswitchd (Oko) ${options.version}`;
    this.clock = options.clock;
    this.log = options.levels;
    if (options.clock instanceof WarpClock) this.dummy = { clock: options.clock, run: () => this.#run() };
  }

  bridges(): readonly BridgeView[] {
    return [...this.#options.bridges()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(bridgeView);
  }

  memory(): Readonly<Record<string, number>> {
    let connections = 0;
    for (const { controllers } of this.#options.bridges())
      connections += [...(controllers.controllers?.connections ?? [])].length;
    return { ofconns: connections };
  }

  exit(cleanup: boolean): Promise<void> {
    return this.#options.exit(cleanup);
  }

  #run(): void {
    for (const { controllers } of this.#options.bridges()) controllers.controllers?.run();
  }
}

function bridgeView({ bridge, datapathType, interfaces, controllers }: ConfiguredBridge): BridgeView {
  return {
    bridge,
    datapathType: datapathType === '' ? 'system' : datapathType,
    ports: () =>
      [...interfaces.values()]
        .filter((each): each is OpenInterface => each.device !== undefined)
        .sort((a, b) => a.number - b.number)
        .map(portView),
    reconnect: () => controllers.reconnect(),
  };
}

function portView({ name, number, device }: OpenInterface): PortView {
  const { peer } = device.status;
  return {
    name,
    number,
    type: device.type,
    port: device.port,
    ...(peer === undefined ? {} : { detail: `peer=${peer}`, peer }),
  };
}
