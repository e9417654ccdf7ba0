import { assemble, bytecodeProgram, type MapDefinition, type Program } from '../../src/bpf/index.ts';

/** A family of programs that grow with the number of their conditional branches. */
export interface Shape {
  readonly name: string;
  /** What it is hard about it. */
  readonly about: string;
  build(branches: number): Program;
}

const TABLE: MapDefinition = {
  name: 'table',
  kind: 'array',
  keySize: 4,
  valueSize: 256,
  maxEntries: 1,
  hashCount: 0,
  initial: new Uint8Array(256),
};

/** Packet bytes that the programs look at. */
const PACKET_BYTES = 64;

function program(body: readonly string[]): Program {
  const start = ['r6 = r1', 'r0 = 0', `if r2 >= ${PACKET_BYTES} goto +1`, 'exit'];
  return bytecodeProgram(assemble([...start, ...body, 'exit'].join('\n')), { maps: [TABLE] });
}

const each = (count: number, lines: (i: number) => readonly string[]): string[] =>
  Array.from({ length: count }, (_, i) => lines(i)).flat();

const byte = (i: number): string => `r3 = *(u8 *)(r6 + ${i % PACKET_BYTES})`;

export const SHAPES: readonly Shape[] = [
  {
    name: 'count',
    about: 'each branch adds to a sum that is the result',
    build: (branches) => program(each(branches, (i) => [byte(i), `if r3 > ${i % 251} goto +1`, 'r0 += 1'])),
  },
  {
    name: 'decide',
    about: 'each branch adds to a sum that is used as an index at the end',
    build: (branches) =>
      program([
        'r4 = 0',
        ...each(branches, (i) => [byte(i), `if r3 > ${i % 251} goto +1`, `r4 ^= ${1 << (i % 8)}`]),
        'r1 = map 0 value 0 ll',
        'r1 += r4',
        'r0 = *(u8 *)(r1 + 0)',
      ]),
  },
  {
    name: 'flags',
    about: 'each branch sets one of 32 variables on the stack, all used as indexes at the end',
    build: (branches) =>
      program([
        ...each(32, (i) => [`*(u64 *)(r10 - ${8 * i + 8}) = 0`]),
        ...each(branches, (i) => [
          byte(i),
          `if r3 > ${i % 251} goto +1`,
          `*(u64 *)(r10 - ${8 * (i % 32) + 8}) = ${i % 200}`,
        ]),
        ...each(32, (i) => [
          'r1 = map 0 value 0 ll',
          `r4 = *(u64 *)(r10 - ${8 * i + 8})`,
          'r1 += r4',
          'r5 = *(u8 *)(r1 + 0)',
          'r0 += r5',
        ]),
      ]),
  },
  {
    name: 'lengths',
    about: 'each branch compares the length, and reads up to there',
    build: (branches) =>
      program(
        each(branches, (i) => [
          `if r2 < ${PACKET_BYTES + i} goto +2`,
          `r3 = *(u8 *)(r6 + ${Math.min(PACKET_BYTES + i - 1, 32767)})`,
          'r0 += r3',
        ]),
      ),
  },
  {
    name: 'switch',
    about: 'one byte compared with many constants, each with a case of its own',
    build: (branches) =>
      program([byte(12), ...each(branches, (i) => [`if r3 != ${i % 256} goto +2`, `r4 = ${i}`, 'r0 ^= r4'])]),
  },
  {
    name: 'loop',
    about: 'ten branches in a loop of a tenth as many rounds',
    build: (branches) =>
      program([
        'r7 = 0',
        ...each(10, (i) => [byte(i), `if r3 > ${i % 251} goto +1`, 'r0 += r7']),
        'r7 += 1',
        `if r7 != ${Math.max(1, Math.round(branches / 10))} goto -32`,
      ]),
  },
];
