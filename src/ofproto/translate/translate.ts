import type { Upcall } from '../../datapath/index.ts';
import type { Action } from '../../openflow/index.ts';
import { KEY } from '../../packet/index.ts';
import type { Mirror } from '../mirror.ts';
import type { Translation } from '../outcome.ts';
import { PORT_CONFIG } from '../port-table.ts';
import { runActionSet } from './action-set.ts';
import { carryOver, type FrozenPass } from './frozen.ts';
import { keyNumber } from './key-fields.ts';
import { mirrorIncoming } from './mirror.ts';
import { PacketWalk, type Pipeline, type TranslationError } from './walk.ts';

export interface TranslationResult extends Translation {
  /** Why the packet is dropped, when it is for want of sense in the tables. */
  readonly error: TranslationError | undefined;
  /** It holds for this packet only: what the packet has taught makes another of it for the next. */
  readonly isFleeting: boolean;
  /** The packet's key as the actions have left it. */
  readonly key: Uint8Array;
}

/**
 * Walks a packet through the tables: which rules it meets, filter programs asked on the way, and what those rules'
 * actions come to. The answer depends on nothing but the key's bits in the union, the programs' results, and the state that
 * starts a new generation of the cache when it changes.
 */
export function translate(upcall: Upcall, pipeline: Pipeline): TranslationResult {
  const walk = new PacketWalk(pipeline, upcall.key);
  if (mayComeIn(walk)) {
    mirrorIncoming(walk, walk.inPort);
    walk.enterPipeline();
  } else walk.warn('the port is set not to receive, dropping');
  return finish(walk);
}

/** Takes up what an earlier pass has left of the pipeline. */
export function resume(upcall: Upcall, pass: FrozenPass, pipeline: Pipeline): TranslationResult {
  const walk = new PacketWalk(pipeline, upcall.key);
  carryOver(pass.key, walk.key);
  walk.stack = [...pass.stack];
  walk.actionSet = [...pass.actionSet];
  walk.queue = pass.queue;
  walk.isPacketOut = pass.isPacketOut;
  for (const mirror of pass.mirrored) walk.mirrored.add(mirror);
  walk.resume(pass.rests);
  return finish(walk, pass.mirrored);
}

/** Carries out actions on a packet that a controller sends. */
export function translateActions(upcall: Upcall, actions: readonly Action[], pipeline: Pipeline): TranslationResult {
  const walk = new PacketWalk(pipeline, upcall.key);
  walk.isPacketOut = true;
  mirrorIncoming(walk, walk.inPort);
  walk.run(actions);
  return finish(walk);
}

/** `carriedOver`: the mirrors that an earlier pass has served. */
function finish(walk: PacketWalk, carriedOver: readonly Mirror[] = []): TranslationResult {
  if (!walk.isFrozen) runActionSet(walk);
  walk.finish();
  const { rules, lookups, lessons, error, isFleeting, key } = walk;
  const isDropped = error !== undefined;
  return {
    actions: isDropped ? [] : walk.rewrites.actions,
    rules,
    lookups,
    lessons,
    mirrors: isDropped ? [] : [...walk.mirrored].filter((mirror) => !carriedOver.includes(mirror)),
    error,
    isFleeting,
    key,
  };
}

const STP_ADDRESS = 0x0180c2000000;

/** Some ports are set not to receive; spanning tree's packets are set apart. The bridge adds what this reads to the union. */
function mayComeIn({ pipeline, inPort, key }: PacketWalk): boolean {
  const config = pipeline.ports.peek(inPort)?.config ?? 0;
  if ((config & PORT_CONFIG.portDown) !== 0) return false;
  if ((config & (PORT_CONFIG.noRecv | PORT_CONFIG.noRecvStp)) === 0) return true;
  const isStp = keyNumber(key, KEY.ethDst, 6) === STP_ADDRESS;
  return (config & (isStp ? PORT_CONFIG.noRecvStp : PORT_CONFIG.noRecv)) === 0;
}
