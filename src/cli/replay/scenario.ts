import { CallbackPort, type ManualClock } from '../../datapath/index.ts';
import { Bridge, FilterPrograms } from '../../ofproto/index.ts';
import { parseFlowFile } from '../flow-file.ts';
import type { NumberedFile } from '../numbered-file.ts';
import { loadProgramFiles } from '../program-files.ts';
import { engineNamed } from './engine.ts';

export interface ScenarioOptions {
  readonly bridge: string;
  /** Text of the flows, as in a file for `ovs-ofctl add-flows`; `name` is what messages call it. */
  readonly flows: { readonly name: string; readonly text: string };
  readonly programs: readonly NumberedFile[];
  readonly engine: string;
  readonly clock: ManualClock;
  /** Port numbers, and who gets what leaves by them. */
  readonly ports: ReadonlyMap<number, (packet: Uint8Array, timeNs: bigint) => void>;
}

/** A bridge with in-memory ports, programs and flows: what a replay and the demonstration run. */
export function setUpScenario(options: ScenarioOptions): Bridge {
  const { clock } = options;
  const programs = new FilterPrograms({ engine: engineNamed(options.engine) });
  const bridge = new Bridge({ name: options.bridge, clock, programs });
  for (const [number, receive] of options.ports) bridge.addPort(number, new CallbackPort(`p${number}`, receive));
  loadProgramFiles(programs, options.programs, clock.nowNs());
  for (const flow of parseFlowFile(options.flows.name, options.flows.text)) bridge.addFlow(flow);
  return bridge;
}
