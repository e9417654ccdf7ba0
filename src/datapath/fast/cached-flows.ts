import type { CachedFlow } from '../datapath.ts';
import {
  FLOW_GENERATION,
  FLOW_KEY,
  FLOW_NODE,
  FLOW_WAYS,
  NODE_QUESTION,
  NODE_TAGS,
  NODE_WAITING,
  QUESTION_MATCHED,
  QUESTION_PROGRAM,
  QUESTION_REFUSED,
  SHARED_THREAD_BYTES,
  SHARED_THREADS,
  THREAD_SLOTS,
  THREAD_STAMP,
  THREAD_STRIDE,
  THREAD_TABLE,
} from '../layout.ts';
import { type FlowNode, type Outcome, Question } from '../outcome.ts';
import type { DatapathMemory } from './memory.ts';
import type { UnionWord } from './union.ts';

/** The flows of a thread's cache, read from its memory while the thread goes on. */
export function* cachedFlows(
  memory: DatapathMemory,
  thread: number,
  union: readonly UnionWord[],
  keyBytes: number,
  outcomeAt: (address: number) => Outcome | undefined,
): Iterable<CachedFlow> {
  const own = memory.shared + SHARED_THREADS + thread * SHARED_THREAD_BYTES;
  const stamp = memory.word(own + THREAD_STAMP);
  const stride = memory.word(own + THREAD_STRIDE);
  const first = memory.word(own + THREAD_TABLE);
  const slots = memory.word(own + THREAD_SLOTS) + FLOW_WAYS;
  for (let i = 0; i < slots; i++) {
    const slot = first + i * stride;
    if (memory.word(slot + FLOW_GENERATION) !== stamp) continue;
    const node = nodeAt(memory, memory.word(slot + FLOW_NODE), outcomeAt);
    if (node === undefined) continue;
    const key = new Uint8Array(keyBytes);
    for (const [w, { offset }] of union.entries()) {
      const at = slot + FLOW_KEY + 8 * w;
      key.set(memory.bytes.subarray(at, at + 8), offset);
    }
    yield { key, node };
  }
}

function nodeAt(
  memory: DatapathMemory,
  node: number,
  outcomeAt: (address: number) => Outcome | undefined,
): FlowNode | undefined {
  if (node === 0 || (node & NODE_WAITING) !== 0) return undefined;
  if ((node & NODE_TAGS) !== NODE_QUESTION) return outcomeAt(node);
  const at = (node & ~NODE_TAGS) >>> 0;
  const question = new Question(memory.word(at + QUESTION_PROGRAM));
  question.matched = nodeAt(memory, memory.word(at + QUESTION_MATCHED), outcomeAt);
  question.refused = nodeAt(memory, memory.word(at + QUESTION_REFUSED), outcomeAt);
  return question;
}
