import { type Action, actionsRead, actionsWithin, type FieldUse, OFPP, type Subfield } from '../openflow/index.ts';
import { type Field, type FieldValue, KEY, MPLS_LSE_COUNT, placeMask, VLAN } from '../packet/index.ts';
import { NORMAL_READS } from './translate/normal.ts';

interface Read {
  readonly offset: number;
  readonly mask: Uint8Array;
  count: number;
}

const MPLS_BYTES = 4 * MPLS_LSE_COUNT;

/**
 * The bits of the flow key that the actions of all rules read, counted, so that a rule's coming and going costs the same
 * whatever number of rules there are. Each action declares what it reads in `src/openflow/actions/`; what follows from
 * the way translation carries it out is added here.
 */
export class FieldReads implements FieldUse {
  readonly #reads = new Map<string, Read>();
  #step: 1 | -1 = 1;
  /** Changes whenever a set of bits comes or goes. */
  changes = 0;

  add(actions: readonly Action[]): void {
    this.#count(actions, 1);
  }

  remove(actions: readonly Action[]): void {
    this.#count(actions, -1);
  }

  /** Sets every bit that is read in `dense`, a mask in the key's layout. */
  addTo(dense: Uint8Array): void {
    for (const { offset, mask } of this.#reads.values())
      for (let i = 0; i < mask.length; i++) if (offset + i < dense.length) dense[offset + i] |= mask[i];
  }

  field(field: Field, mask?: FieldValue): void {
    const bits = mask === undefined ? '' : `/${mask.join('.')}`;
    this.#note(`${field.id}${bits}`, field.place.offset, () => placeMask(field, mask));
  }

  /** All of the field: a few bits more cost nothing but a little sharing. */
  subfield(subfield: Subfield): void {
    this.field(subfield.field);
  }

  #count(actions: readonly Action[], step: 1 | -1): void {
    this.#step = step;
    actionsRead(actions, this);
    for (const action of actionsWithin(actions)) this.#countTranslation(action);
  }

  /** What translation looks at beyond the action's own declaration. */
  #countTranslation(action: Action): void {
    switch (action.type) {
      case 'output':
        if (action.port === OFPP.normal) for (const [offset, bytes] of NORMAL_READS) this.#bytes(offset, bytes);
        return;
      case 'output_reg':
        for (const [offset, bytes] of NORMAL_READS) this.#bytes(offset, bytes);
        return;
      case 'strip_vlan':
        // The inner tag becomes the outer one, and that may be matched.
        this.#bytes(KEY.innerVlanTpid, VLAN.tagBytes);
        return;
      case 'push_mpls':
        this.#bytes(KEY.mplsLse, MPLS_BYTES);
        return;
      case 'pop_mpls':
        this.#bytes(KEY.mplsLse, MPLS_BYTES);
        this.#bytes(KEY.recircId, 4);
        return;
      default:
        return;
    }
  }

  #bytes(offset: number, bytes: number): void {
    this.#note(`@${offset}+${bytes}`, offset, () => new Uint8Array(bytes).fill(0xff));
  }

  #note(id: string, offset: number, mask: () => Uint8Array): void {
    const known = this.#reads.get(id);
    if (known === undefined) {
      this.#reads.set(id, { offset, mask: mask(), count: this.#step });
      this.changes++;
      return;
    }
    known.count += this.#step;
    if (known.count !== 0) return;
    this.#reads.delete(id);
    this.changes++;
  }
}
