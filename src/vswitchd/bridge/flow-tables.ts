import { type Bridge, TABLE_COUNT } from '../../ofproto/index.ts';
import type { BridgeConfig } from '../config/index.ts';

const DEFAULT_MAX_FLOWS = 1_000_000;

/** Names and limits of a bridge's tables, as column Bridge.flow_tables says. */
export class FlowTableSettings {
  readonly #bridge: Bridge;
  #configured: ReadonlySet<number> = new Set();

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  apply({ flowTables }: BridgeConfig): void {
    // The schema has a table 254, which no flow can be in.
    const usable = [...flowTables].filter(([number]) => number < TABLE_COUNT);
    for (const number of this.#configured)
      if (!flowTables.has(number)) this.#bridge.configureTable(number, { name: '', maxFlows: DEFAULT_MAX_FLOWS });
    for (const [number, row] of usable)
      this.#bridge.configureTable(number, { name: row.name ?? '', maxFlows: row.flow_limit ?? DEFAULT_MAX_FLOWS });
    this.#configured = new Set(usable.map(([number]) => number));
  }
}
