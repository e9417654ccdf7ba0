import type { AskedRule, TraceResult } from '../../ofproto/index.ts';
import { type Action, OFPP } from '../../openflow/index.ts';
import { composePacket, extractKey, KEY, newKey } from '../../packet/index.ts';
import { formatDatapathActions } from './datapath-text.ts';
import { datapathPort, portNamed } from './names.ts';
import type { BridgeView, SwitchView } from './switch-view.ts';
import type { TraceSubject } from './trace-arguments.ts';
import { TraceTree } from './trace-tree.ts';

/** Bridges in a row that a trace follows by patch ports. */
const MAX_BRIDGES = 16;

/** A packet on its way through a bridge, and through those that patch ports lead to. */
export class TracedPassage {
  readonly #view: SwitchView;
  readonly #subject: TraceSubject;
  readonly #isReal: boolean;
  readonly #depth: number;
  /** What came of what went out by patch ports, in the order it did; undefined: nothing. */
  readonly #beyond: (string | undefined)[] = [];

  constructor(view: SwitchView, subject: TraceSubject, isReal: boolean, depth: number) {
    this.#view = view;
    this.#subject = subject;
    this.#isReal = isReal;
    this.#depth = depth;
  }

  run(
    at: BridgeView,
    key: Uint8Array,
    packet: Uint8Array,
    actions?: readonly Action[],
  ): { readonly result: TraceResult; readonly tree: TraceTree } {
    const tree = new TraceTree(
      at.bridge.name,
      (asked) => this.#programText(at, asked),
      (port, now) => this.#follow(at, port, now),
    );
    const result = at.bridge.trace(inPortOf(key), packet, tree, {
      key,
      programs: this.#subject.programs,
      isReal: this.#isReal,
      ...(actions === undefined ? {} : { actions }),
    });
    return { result, tree };
  }

  /** To be asked once, after `run`. */
  datapathActions(at: BridgeView, key: Uint8Array, result: TraceResult): string {
    const ports = new Map(at.ports().map((port) => [port.number, port]));
    return formatDatapathActions(result.actions, key, {
      portText: (number) => {
        if (ports.get(number)?.peer !== undefined) return this.#beyond.shift();
        return at.bridge.ports.peek(number) === undefined ? undefined : String(datapathPort(at, number));
      },
      note: (note) => at.bridge.packetInOf(note),
      isDryRun: !this.#isReal,
      isWholeKey: true,
    });
  }

  #follow(at: BridgeView, number: number, key: Uint8Array): TraceTree | undefined {
    const name = at.ports().find((port) => port.number === number)?.peer;
    if (name === undefined) return undefined;
    const peer = portNamed(this.#view, name);
    if (peer === undefined || this.#depth >= MAX_BRIDGES) {
      this.#beyond.push(undefined);
      return undefined;
    }
    const packet = composePacket(key);
    const passage = new TracedPassage(this.#view, this.#subject, this.#isReal, this.#depth + 1);
    const entering = newKey();
    extractKey(packet, entering);
    new DataView(entering.buffer).setUint32(KEY.inPort, peer.port.number);
    const { result, tree } = passage.run(peer.bridge, entering, packet);
    const actions = passage.datapathActions(peer.bridge, entering, result);
    this.#beyond.push(actions === 'drop' ? undefined : actions);
    return tree;
  }

  #programText({ bridge }: BridgeView, { rule: { program = 0, priority }, matched }: AskedRule): string {
    const loaded = bridge.programs.list().find(({ id }) => id === program);
    const passedOver = matched ? '' : `, passing over priority ${priority}`;
    if (loaded === undefined) return `filter_prog=${program} is not loaded${passedOver}`;
    if (this.#isReal) return `filter_prog=${program} (${loaded.name}) returned ${matched ? 1 : 0}${passedOver}`;
    const why = this.#subject.programs.has(program)
      ? 'as told'
      : `-generate runs it, --filter-prog ${program}=1 takes it as 1`;
    return `filter_prog=${program} (${loaded.name}) not run, taken as ${matched ? 1 : 0}${passedOver} (${why})`;
  }
}

/** The port that a key says a packet came in by, or none. */
function inPortOf(key: Uint8Array): number {
  const port = new DataView(key.buffer, key.byteOffset).getUint32(KEY.inPort);
  return port === 0 ? OFPP.none : port;
}
