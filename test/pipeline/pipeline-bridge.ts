import { CallbackPort, ManualClock } from '../../src/datapath/index.ts';
import { Bridge, FilterPrograms, type PacketIn, type PortVlan } from '../../src/ofproto/index.ts';
import { parseFlow } from '../../src/openflow/index.ts';
import { packet, packetText } from './packet-text.ts';

/** Nobody's: no case has a filter program. */
const programs = new FilterPrograms({ windowBits: 20 });

/** Our bridge with ports that note what leaves by them. */
export class PipelineBridge {
  readonly clock = new ManualClock(1_000_000_000n);
  readonly bridge = new Bridge({ name: 'br0', clock: this.clock, programs });
  readonly sent: string[] = [];
  readonly packetIns: PacketIn[] = [];

  constructor(flows: readonly string[], ports: readonly number[] = [1, 2, 3, 4], vlans: Record<number, PortVlan> = {}) {
    for (const port of ports) {
      const callback = new CallbackPort(`p${port}`, (bytes) => this.sent.push(`${port}: ${packetText(bytes)}`));
      this.bridge.addPort(port, callback, vlans[port] ? { vlan: vlans[port] } : {});
    }
    this.bridge.listen({ packetIn: (packetIn) => this.packetIns.push(packetIn) });
    for (const flow of flows) this.bridge.flowMod(parseFlow(flow));
  }

  /** What comes out, as "PORT: PACKET" in the order of ports, when "PORT: PACKET" comes in. */
  receive(arrival: string): string[] {
    this.sent.length = 0;
    const at = arrival.indexOf(':');
    this.bridge.receive(Number(arrival.slice(0, at)), packet(arrival.slice(at + 1)));
    return [...this.sent].sort();
  }
}
