import { parseHex } from '../../bytes/index.ts';
import { assemble } from '../assembler.ts';
import { bytecodeProgram } from '../bytecode-program.ts';
import type { Engine } from '../engine.ts';
import { BpfError } from '../errors.ts';
import { EbpfMemory } from '../memory.ts';
import { PacketRunner } from '../packet-runner.ts';
import type { Program } from '../program.ts';
import { BpfViolation } from '../violation.ts';
import { createWorld } from '../world.ts';
import type { ConformanceCase } from './case.ts';

/** Instructions that a case may execute. */
const FUEL = 10_000;
const WINDOW_BITS = 17;

export function conformanceProgram(conformanceCase: ConformanceCase): Program {
  const { program, name, maps } = conformanceCase;
  return bytecodeProgram(typeof program === 'string' ? assemble(program) : program, { name, maps: maps ?? [] });
}

export function conformancePacket(conformanceCase: ConformanceCase): Uint8Array {
  const packet = parseHex(conformanceCase.packet ?? '');
  if (packet === undefined) throw new Error(`${conformanceCase.name}: the packet is not hex`);
  return packet;
}

/** What an engine makes of a case, in the form of its `expect`. */
export function runCase(engine: Engine, conformanceCase: ConformanceCase): ConformanceCase['expect'] {
  const program = conformanceProgram(conformanceCase);
  const world = createWorld(program, { memory: EbpfMemory.standalone({ windowBits: WINDOW_BITS }) });
  const runner = new PacketRunner(world, 256);
  try {
    const loaded = engine.load(program, world, { fuel: FUEL });
    return { r0: runner.run(loaded, conformancePacket(conformanceCase)) };
  } catch (error) {
    if (error instanceof BpfViolation) return { violation: error.kind };
    if (error instanceof BpfError) return { refused: error.code };
    throw error;
  }
}
