import { DESCRIPTOR, WasmCompiler } from '../../src/bpf/compiler/index.ts';
import { Interpreter } from '../../src/bpf/interpreter.ts';
import { BATCH, Bed } from './bed.ts';
import type { Runner } from './runner.ts';
import type { Scenario } from './scenario.ts';

export function wasmRunner(scenario: Scenario): Runner {
  const bed = new Bed(scenario);
  const program = new WasmCompiler().load(scenario.program, bed.world);
  return {
    name: 'wasm',
    bytes: bed.bytes,
    run(descriptors, count) {
      for (let at = 0; at < count; at += BATCH)
        program.runBatch(descriptors + at * DESCRIPTOR.bytes, Math.min(BATCH, count - at));
    },
  };
}

export function interpreterRunner(scenario: Scenario): Runner {
  const bed = new Bed(scenario);
  const program = new Interpreter().load(scenario.program, bed.world);
  const { view } = bed.world.memory;
  return {
    name: 'interpreter',
    bytes: bed.bytes,
    run(descriptors, count) {
      for (let i = 0; i < count; i++) {
        const at = descriptors + i * DESCRIPTOR.bytes;
        const r0 = program.run(
          view.getUint32(at + DESCRIPTOR.address, true),
          view.getUint32(at + DESCRIPTOR.length, true),
        );
        view.setBigUint64(at + DESCRIPTOR.result, r0, true);
      }
    },
  };
}
