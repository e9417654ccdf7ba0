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

  /** @throws ProtocolError OFPRRFC_STALE when the request belongs to an election that has been overtaken */
  request(holder: RoleHolder, request: Role, all: Iterable<RoleHolder>): void {
    if (request.role === 'nochange') return;
    if (request.generationId !== undefined && request.role !== 'equal') this.#renew(request.generationId);
    if (request.role === 'primary') for (const other of all) if (other.role === 'primary') other.role = 'secondary';
    holder.role = request.role;
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
