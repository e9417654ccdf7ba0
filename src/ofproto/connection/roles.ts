import { ProtocolError, type Role } from '../../openflow/index.ts';

export type ControllerRole = Exclude<Role['role'], 'nochange'>;

/** Whoever has a role: one controller's connection. */
export interface RoleHolder {
  role: ControllerRole;
}

/**
 * Who may change the switch (OpenFlow 1.3.5 section 6.3.6): at most one primary, whose appearance makes every other that was
 * primary secondary. A generation id tells elections apart that overtake each other.
 */
export class RoleElection {
  #generation: bigint | undefined;

  /**
   * Answers those who were primary until now.
   *
   * @throws ProtocolError OFPRRFC_STALE when the request belongs to an election that has been overtaken
   */
  request(holder: RoleHolder, request: Role, all: Iterable<RoleHolder>): readonly RoleHolder[] {
    if (request.role === 'nochange') return [];
    if (request.generationId !== undefined && request.role !== 'equal') this.#renew(request.generationId);
    const ousted =
      request.role !== 'primary' ? [] : [...all].filter((other) => other !== holder && other.role === 'primary');
    for (const other of ousted) other.role = 'secondary';
    holder.role = request.role;
    return ousted;
  }

  /** What a reply carries: all ones before the first election. */
  get generation(): bigint {
    return this.#generation ?? 0xffff_ffff_ffff_ffffn;
  }

  #renew(generation: bigint): void {
    // The difference counts as a signed number, so that generations may run over.
    if (this.#generation !== undefined && BigInt.asIntN(64, generation - this.#generation) < 0n)
      throw new ProtocolError('OFPRRFC_STALE', `generation ${generation} comes before ${this.#generation}`);
    this.#generation = generation;
  }
}
