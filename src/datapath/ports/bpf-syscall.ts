import { addressOf, syscall } from './linux.ts';

/** bpf(2) by processor. */
const SYS_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
const COMMAND = { mapCreate: 0, mapUpdate: 2, programLoad: 5, linkCreate: 28 } as const;
const ATTRIBUTE_BYTES = 128;
const SLOT_BYTES = 8;

export const PROGRAM_TYPE = { schedulerClassifier: 3, xdp: 6 } as const;
export const ATTACH_TYPE = { xdp: 37, tcxIngress: 46 } as const;

/** [opcode, registers, offset, immediate] of each slot, for programs of a few instructions that the kernel runs. */
export type KernelInstructions = readonly (readonly [number, number, number, number])[];

/** @returns a descriptor, negative when the kernel refuses */
export function createMap(type: number, keyBytes: number, valueBytes: number, entries: number): number {
  return call(COMMAND.mapCreate, words([type, keyBytes, valueBytes, entries]));
}

/** Sets one 32-bit key of a map to one 32-bit value. */
export function updateMap(map: number, key: number, value: number): boolean {
  const keyBytes = new Uint8Array(new Uint32Array([key]).buffer);
  const valueBytes = new Uint8Array(new Uint32Array([value]).buffer);
  const attributes = words([map]);
  attributes.setBigUint64(8, addressOf(keyBytes), true);
  attributes.setBigUint64(16, addressOf(valueBytes), true);
  return call(COMMAND.mapUpdate, attributes) === 0;
}

/** @returns a descriptor, negative when the kernel refuses */
export function loadKernelProgram(type: number, attachType: number, instructions: KernelInstructions): number {
  const code = new DataView(new ArrayBuffer(instructions.length * SLOT_BYTES));
  for (const [i, [opcode, registers, offset, immediate]] of instructions.entries()) {
    code.setUint8(SLOT_BYTES * i, opcode);
    code.setUint8(SLOT_BYTES * i + 1, registers);
    code.setInt16(SLOT_BYTES * i + 2, offset, true);
    code.setInt32(SLOT_BYTES * i + 4, immediate, true);
  }
  const bytes = new Uint8Array(code.buffer);
  const license = new TextEncoder().encode('Apache-2.0\0');
  const attributes = words([type, instructions.length]);
  attributes.setBigUint64(8, addressOf(bytes), true);
  attributes.setBigUint64(16, addressOf(license), true);
  attributes.setUint32(68, attachType, true);
  return call(COMMAND.programLoad, attributes);
}

/**
 * Attaches a program to a device; it comes off when the descriptor is closed, at the latest with the process.
 *
 * @returns the link's descriptor, negative when the kernel refuses
 */
export function attachToDevice(program: number, index: number, attachType: number, flags = 0): number {
  return call(COMMAND.linkCreate, words([program, index, attachType, flags]));
}

function words(values: readonly number[]): DataView {
  const attributes = new DataView(new ArrayBuffer(ATTRIBUTE_BYTES));
  for (const [i, value] of values.entries()) attributes.setUint32(4 * i, value, true);
  return attributes;
}

function call(command: number, attributes: DataView): number {
  const number = SYS_BPF[process.arch];
  if (number === undefined) return -1;
  return Number(syscall(number, command, new Uint8Array(attributes.buffer), ATTRIBUTE_BYTES));
}
