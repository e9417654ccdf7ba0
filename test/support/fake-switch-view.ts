import { type Datapath, type DatapathOptions, DummyPort, PlainDatapath } from '../../src/datapath/index.ts';
import { Bridge } from '../../src/ofproto/index.ts';
import { OFPP, parseFlow } from '../../src/openflow/index.ts';
import {
  type BridgeView,
  LogLevels,
  type PortView,
  type SwitchView,
  WarpClock,
} from '../../src/vswitchd/unixctl/index.ts';

/** A view of one bridge `br0` with dummy ports 1 to 3, `p1` to `p3`, without a daemon around it. */
export class FakeSwitchView implements SwitchView {
  readonly version = 'ovs-vswitchd (Oko) 1.2.3';
  readonly clock = new WarpClock();
  readonly log = new LogLevels(['bridge', 'dpif', 'ofproto_dpif']);
  readonly bridge: Bridge;
  readonly dummy = { clock: this.clock, run: () => this.bridge.run() };
  readonly exits: boolean[] = [];
  /** Packets that have gone out, with the ports by which they did. */
  readonly sent: [number, Uint8Array][] = [];
  reconnects = 0;
  readonly #view: BridgeView;

  constructor(datapath: (options: DatapathOptions) => Datapath = (options) => new PlainDatapath(options)) {
    this.bridge = new Bridge({ name: 'br0', clock: this.clock, datapath });
    const ports: PortView[] = [1, 2, 3].map((number) => this.#port(number, `p${number}`, 'dummy'));
    ports.push(this.#port(OFPP.local, 'br0', 'dummy-internal'));
    this.#view = {
      bridge: this.bridge,
      datapathType: 'dummy',
      ports: () => ports,
      reconnect: () => {
        this.reconnects++;
      },
    };
  }

  #port(number: number, name: string, type: string): PortView {
    const { sent } = this;
    const port = new (class extends DummyPort {
      override send(packet: Uint8Array, timeNs: bigint): boolean {
        sent.push([number, packet.slice()]);
        return super.send(packet, timeNs);
      }
    })(name);
    this.bridge.addPort(number, port);
    return { name, number, type, port };
  }

  bridges(): readonly BridgeView[] {
    return [this.#view];
  }

  memory(): Readonly<Record<string, number>> {
    return { ofconns: 0, 'idl-cells-Open_vSwitch': 12 };
  }

  async exit(cleanup: boolean): Promise<void> {
    this.exits.push(cleanup);
  }

  /** Replaces all flows. */
  setFlows(flows: readonly string[]): void {
    for (const rule of this.bridge.flows()) this.bridge.removeFlow(rule);
    for (const flow of flows) this.bridge.flowMod(parseFlow(flow));
  }
}
