/*
 * The messages of Oko's extension as plain objects: programs and maps over OpenFlow. They are OFPT_EXPERIMENTER messages of
 * experimenter 0x004f4b4f, the same in every version of OpenFlow; `oko-codec.ts` writes and reads them, docs/oko-protocol.md
 * draws them for authors of controllers.
 */

/** Kinds of maps, by their number on the wire. */
export const MAP_KINDS = [
  'unknown',
  'array',
  'bloom',
  'count-min',
  'hash',
  'lru-hash',
  'lpm-trie',
  'per-thread-array',
  'per-thread-hash',
] as const;
export type MapKindName = (typeof MAP_KINDS)[number];

/** A map of a program: its number (0 to 65534) in the order of the object, or its name. */
export type MapReference = number | string;

/** Asks what the switch has of the extension, and tells it that the sender knows filter_prog. */
export interface OkoFeaturesRequest {
  readonly kind: 'features_request';
}

export interface OkoFeaturesReply {
  readonly kind: 'features_reply';
  /** Of this protocol: 1. */
  readonly revision: number;
  readonly programs: number;
  readonly maxPrograms: number;
  readonly maxObjectBytes: number;
  /** Of the memory for maps. */
  readonly mapBytes: bigint;
  readonly maxMapBytes: bigint;
}

/** What becomes of the maps of the program that is replaced. */
export const KEPT_MAPS = ['fitting', 'all', 'none'] as const;

/** One part of an object file; those of one load have the same transaction id and follow each other. */
export interface ProgramLoad {
  readonly kind: 'prog_load';
  readonly program: number;
  readonly replace: boolean;
  /**
   * When replacing: `fitting` keeps the maps that are declared as before, `all` refuses the program unless that is every map,
   * `none` starts with new ones.
   */
  readonly keepMaps: (typeof KEPT_MAPS)[number];
  /** Look at the program and load nothing. */
  readonly verifyOnly: boolean;
  /** Further parts follow. */
  readonly more: boolean;
  /** Bytes of the whole object. */
  readonly totalBytes: number;
  /** Where this part begins in it. */
  readonly offset: number;
  /** What people call the program; the names are looked at in the first part. */
  readonly name: string;
  /** Which program of an object that has several; empty: the only one, or `entry`. */
  readonly section: string;
  readonly function: string;
  readonly data: Uint8Array;
}

/** What the load has come to. */
export interface ProgramLoadReply {
  readonly kind: 'prog_load_reply';
  readonly verifyOnly: boolean;
  readonly replaced: boolean;
  /** Maps that live on. */
  readonly keptMaps: number;
  readonly description: ProgramDescription;
}

export interface ProgramUnload {
  readonly kind: 'prog_unload';
  readonly program: number;
  /** Even if flows refer to it; they match nothing then. */
  readonly force: boolean;
}

export interface ProgramDescriptionRequest {
  readonly kind: 'prog_desc_request';
  /** 0: all. */
  readonly program: number;
}

export interface ProgramDescriptionReply {
  readonly kind: 'prog_desc_reply';
  readonly more: boolean;
  readonly programs: readonly ProgramDescription[];
}

export interface ProgramDescription {
  readonly program: number;
  readonly name: string;
  readonly section: string;
  readonly function: string;
  /** Nanoseconds since 1970; 0 for a program that was only verified. */
  readonly loadedAtNs: bigint;
  readonly objectBytes: number;
  /** Flows that refer to it. */
  readonly flows: number;
  readonly runs: bigint;
  readonly matches: bigint;
  /** Runs that the engine had to end. */
  readonly failures: bigint;
  /** Runs whose time was taken, and the sum of their nanoseconds. */
  readonly sampledRuns: bigint;
  readonly sampledNs: bigint;
  readonly verifier: VerifierFigures;
  readonly maps: readonly MapDescription[];
}

/** What the verifier found out. */
export interface VerifierFigures {
  readonly instructions: number;
  /** Instructions it followed, over all paths. */
  readonly visited: number;
  readonly states: number;
  /** Instructions of the longest path: no run takes more. */
  readonly longestPath: number;
  readonly stackBytes: number;
  readonly frames: number;
  /** Bytes from the packet's start that the program may read. */
  readonly packetBytes: number;
}

export interface MapDescription {
  readonly name: string;
  readonly mapKind: MapKindName;
  readonly readOnly: boolean;
  readonly keySize: number;
  /** Of one entry; in the per-thread kinds those of all threads. */
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly hashCount: number;
  /** Of memory. */
  readonly bytes: bigint;
}

/** Whether a key must be there, or must not. */
export const MAP_UPDATE_MODES = ['any', 'noexist', 'exist'] as const;

export interface EntryBlock {
  readonly keySize: number;
  readonly valueSize: number;
  readonly count: number;
  /** Key and value of one entry after the other. */
  readonly entries: Uint8Array;
}

/** Sets values. To a Bloom filter or a sketch it adds the keys; the values have no bytes then. */
export interface MapUpdate extends EntryBlock {
  readonly kind: 'map_update';
  readonly program: number;
  readonly map: MapReference;
  readonly mode: (typeof MAP_UPDATE_MODES)[number];
}

/** Deletes keys (the values have no bytes), or empties the map. */
export interface MapDelete extends EntryBlock {
  readonly kind: 'map_delete';
  readonly program: number;
  readonly map: MapReference;
  readonly all: boolean;
}

export interface MapLookup extends EntryBlock {
  readonly kind: 'map_lookup';
  readonly program: number;
  readonly map: MapReference;
}

export interface MapDump {
  readonly kind: 'map_dump';
  readonly program: number;
  readonly map: MapReference;
}

/** Asks for a map's contents again and again. */
export interface MapSubscribe {
  readonly kind: 'map_subscribe';
  readonly program: number;
  readonly map: MapReference;
  /** Chosen by the peer; its own in a connection. */
  readonly subscription: number;
  /** 0 ends the subscription. */
  readonly periodMs: number;
  /** After the first time only what has changed. */
  readonly onlyChanges: boolean;
}

export const CONTENTS_REASONS = ['dump', 'lookup', 'action', 'subscription'] as const;

/** Contents of a map, or a part of them. */
export interface MapContents extends EntryBlock {
  readonly kind: 'map_contents';
  readonly program: number;
  /** The map's number. */
  readonly map: number;
  readonly name: string;
  readonly mapKind: MapKindName;
  readonly reason: (typeof CONTENTS_REASONS)[number];
  /** Further parts follow. */
  readonly more: boolean;
  /** The keys (without values) are gone since the last time. */
  readonly deleted: boolean;
  /** 0 when there is none. */
  readonly subscription: number;
  /** What the map held when the first part was made: keys, elements, set bits, added items. */
  readonly total: bigint;
}

export type OkoRequest =
  | OkoFeaturesRequest
  | ProgramLoad
  | ProgramUnload
  | ProgramDescriptionRequest
  | MapUpdate
  | MapDelete
  | MapLookup
  | MapDump
  | MapSubscribe;

export type OkoReply = OkoFeaturesReply | ProgramLoadReply | ProgramDescriptionReply | MapContents;

export type OkoBody = OkoRequest | OkoReply;
