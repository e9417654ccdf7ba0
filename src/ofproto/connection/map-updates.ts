import type { BpfMap } from '../../bpf/index.ts';
import { decodeOko, ExtensionError, type MapUpdate, OKO_SUBTYPE, type OkoMessage } from '../../openflow/index.ts';
import type { FilterPrograms } from '../filter-programs.ts';
import { checkUpdate, updateMap } from '../programs/map-access.ts';

/** May it be a part of a bundle? What it asks for is looked at when the bundle is committed. */
export function isMapUpdate({ subtype }: OkoMessage): boolean {
  return subtype === OKO_SUBTYPE.map_update;
}

/** Updates of maps that are carried out together, or not at all. */
export class MapUpdates {
  readonly #programs: FilterPrograms;
  readonly #updates: (readonly [BpfMap, MapUpdate])[] = [];
  /** Keys that the updates so far will add. */
  readonly #added = new Map<BpfMap, Set<string>>();

  constructor(programs: FilterPrograms) {
    this.#programs = programs;
  }

  /**
   * Takes an update that goes on with those before it.
   *
   * @throws ExtensionError; only what can be told beforehand to succeed is taken
   */
  add(message: OkoMessage): void {
    const update = decodeOko(message);
    if (update.kind !== 'map_update' || update.mode !== 'any')
      throw new ExtensionError('OKO_BAD_REQUEST', 'in a bundle, only updates of any key go together');
    const map = this.#programs.map(update.program, update.map);
    if (map.definition.kind === 'lpm-trie')
      throw new ExtensionError(
        'OKO_NOT_SUPPORTED_BY_MAP',
        `map ${map.definition.name}: tries are not updated in bundles`,
      );
    const added = this.#added.get(map) ?? new Set();
    this.#added.set(map, added);
    checkUpdate(map, update, 'any', added);
    this.#updates.push([map, update]);
  }

  carryOut(): void {
    for (const [map, update] of this.#updates)
      if (this.#programs.isLive(map)) updateMap(this.#programs, map, update, 'any');
  }
}
