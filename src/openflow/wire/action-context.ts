import type { ByteReader, ByteWriter } from '../../bytes/index.ts';
import type { Match, OpenflowVersion } from '../../packet/index.ts';
import type { Action } from '../action.ts';

/** What the encoding of an action may depend on. */
export interface ActionEncoding {
  readonly version: OpenflowVersion;
  /** The match of the flow that the actions are for: some need to know whether there is a tag, or which transport. */
  readonly match?: Match;
  /** Has a tag been pushed by an earlier action? */
  hasVlan: boolean;
  write(actions: readonly Action[]): void;
  readonly writer: ByteWriter;
}

/** What the decoding of an action may depend on. */
export interface ActionDecoding {
  readonly version: OpenflowVersion;
  /** How deep actions nest. */
  readonly depth: number;
  /** Reads all actions up to the end of a reader; `ct` for those that ct executes. */
  nested(reader: ByteReader, inside?: 'ct'): Action[];
}

/** Reads the body of one action: what follows its header, padding included. */
export type ActionDecoder = (body: ByteReader, decoding: ActionDecoding) => Action | readonly Action[];
