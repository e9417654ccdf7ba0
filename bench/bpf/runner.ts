/** Something that runs a scenario's packets over its own copy of the bed's bytes. */
export interface Runner {
  readonly name: string;
  /** The window's bytes as they are. */
  readonly bytes: Uint8Array;
  /** Runs `count` packets by their descriptors, in batches; nothing else. */
  run(descriptors: number, count: number): void;
}
