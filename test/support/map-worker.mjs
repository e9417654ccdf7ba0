// A thread that hammers one map: run by test/bpf/map-threads.test.ts, on the built library.
import { parentPort, workerData } from 'node:worker_threads';
import {
  assemble,
  attachMap,
  bytecodeProgram,
  EbpfMemory,
  EbpfThread,
  EpochClock,
  Interpreter,
  WasmCompiler,
} from '../../dist/bpf/index.js';

const {
  memory: wasmMemory,
  windowBits,
  clockAddress,
  mapAddress,
  threadAddress,
  definition,
  keys,
  batches,
  engine,
  seed,
  program,
} = workerData;
const memory = EbpfMemory.attach({ memory: wasmMemory, windowBits });
const clock = EpochClock.attach(memory, clockAddress);
const thread = EbpfThread.attach(memory, threadAddress);
const map = attachMap(memory, clock, definition, mapAddress);
const world = { memory, clock, thread, maps: [map] };
const engines = { wasm: WasmCompiler, interpreter: Interpreter };
const loaded = new engines[engine]().load(bytecodeProgram(assemble(program), { maps: [definition] }), world);

let state = seed;
function random(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 8) % limit;
}

const { packet } = workerData;
const outcomes = {};
let brokenPromises = 0;
clock.enter(thread.index);
for (let batch = 0; batch < batches; batch++) {
  const held = [];
  for (let n = 0; n < 32; n++) {
    const key = random(keys);
    // A prefix of 32 bits, for an LPM trie; the number is the key's last four bytes.
    if (definition.keySize > 4) memory.view.setUint32(packet, 32, true);
    memory.view.setUint32(packet + definition.keySize - 4, key, true);
    memory.view.setUint32(packet + definition.keySize, random(4), true);
    const result = String(BigInt.asIntN(64, loaded.run(packet, definition.keySize + 4)));
    outcomes[result] = (outcomes[result] ?? 0) + 1;
    const at = map.helperLookup(packet, thread.index);
    if (at !== 0) held.push([at, key]);
    for (const [address, expected] of held) if (memory.view.getUint32(address, true) !== expected) brokenPromises++;
  }
  clock.advance(thread.index);
}
clock.leave(thread.index);
parentPort.postMessage({ outcomes, brokenPromises });
