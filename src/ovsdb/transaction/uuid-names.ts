import { newUuid, type Uuid } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';

/** The `uuid-name`s of one transaction. A name may be used before the insert that defines it. */
export class UuidNames {
  readonly #uuids = new Map<string, Uuid>();
  readonly #defined = new Set<string>();

  /** What `["named-uuid", name]` stands for. */
  readonly uuidOf = (name: string): Uuid => {
    let uuid = this.#uuids.get(name);
    if (uuid === undefined) {
      uuid = newUuid();
      this.#uuids.set(name, uuid);
    }
    return uuid;
  };

  /** The UUID of the row inserted under `name`: `wanted`, when the insert asks for one. */
  define(name: string, wanted: Uuid | undefined): Uuid {
    if (this.#defined.has(name))
      throw new OvsdbError('OVSDB_DUPLICATE_UUID_NAME', 'an earlier insert of the transaction has this uuid-name', {
        syntax: name,
      });
    this.#defined.add(name);
    if (wanted !== undefined) this.#uuids.set(name, wanted);
    return this.uuidOf(name);
  }
}
