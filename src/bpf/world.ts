import type { World } from './engine.ts';
import { EpochClock } from './epoch.ts';
import { createMap } from './maps/create.ts';
import type { BpfMap } from './maps/map.ts';
import { EbpfMemory } from './memory.ts';
import type { Program } from './program.ts';
import { EbpfThread } from './thread.ts';

/** The parts of a world that exist already; a program on its own needs none. */
export interface WorldOptions {
  /** By default a memory of its own of 64 MiB. */
  readonly memory?: EbpfMemory;
  /** By default one for a single thread. */
  readonly clock?: EpochClock;
  readonly thread?: EbpfThread;
  /** Maps by name, to use in place of new ones: so programs share maps, and a new version keeps its predecessor's. */
  readonly maps?: ReadonlyMap<string, BpfMap>;
}

/** A world for one thread, with a new map for each that the program declares and `options.maps` does not give. */
export function createWorld(program: Pick<Program, 'maps'>, options: WorldOptions = {}): World {
  const memory = options.memory ?? EbpfMemory.standalone();
  const clock = options.clock ?? EpochClock.create(memory, 1);
  const thread = options.thread ?? EbpfThread.create(memory, 0);
  clock.enter(thread.index);
  const maps = program.maps.map((definition) => {
    const given = options.maps?.get(definition.name);
    return given ?? createMap(memory, clock, definition);
  });
  return { memory, maps, clock, thread };
}
