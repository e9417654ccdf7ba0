import type { AccessRights, Refusal } from './access.ts';
import type { World } from './engine.ts';
import {
  HELPER_ID,
  type Helper,
  keyArgumentSize,
  lookedUpValue,
  MAX_FORMAT_BYTES,
  MAX_HASHED_BYTES,
} from './helpers.ts';
import { hashlittle } from './lookup3.ts';
import type { BpfMap } from './maps/map.ts';

/** What a helper call needs of the interpreter. */
export interface HelperCall {
  readonly world: World;
  readonly rights: AccessRights;
  /** Throws the violation for an uninitialised one. */
  register(n: number): bigint;
  registerOrZero(n: number): bigint;
  /** Makes the error to throw. */
  refuse(refusal: Refusal): Error;
}

/** Carries out a helper on r1 to r5 after checking its arguments; returns r0. */
export function callHelper(helper: Helper, call: HelperCall): bigint {
  const { thread, memory } = call.world;
  switch (helper.id) {
    case HELPER_ID.timeGetNs:
      return thread.timeNs;
    case HELPER_ID.hash: {
      const size = call.register(2);
      if (size > BigInt(MAX_HASHED_BYTES))
        throw call.refuse({
          kind: 'helper-argument',
          what: `${helper.name} of ${size} bytes, at most ${MAX_HASHED_BYTES}`,
        });
      const at = readable(call, 1, Number(size));
      return BigInt(hashlittle(memory.bytes, at, Number(size), 0));
    }
    case HELPER_ID.printf: {
      const format = formatArgument(call, helper);
      thread.print(
        format,
        [2, 3, 4, 5].map((n) => call.registerOrZero(n)),
      );
      return 0n;
    }
    default:
      return callMapHelper(helper, call);
  }
}

function callMapHelper(helper: Helper, call: HelperCall): bigint {
  const map = mapArgument(call, helper);
  const { thread } = call.world;
  const key = readable(call, 2, keyArgumentSize(map.definition));
  switch (helper.id) {
    case HELPER_ID.mapLookup: {
      const value = map.helperLookup(key, thread.index);
      const { size, writable } = lookedUpValue(map.definition);
      if (value !== 0) call.rights.grantValue(map.definition.name, value, size, writable);
      return BigInt(value);
    }
    case HELPER_ID.mapUpdate: {
      const value = readable(call, 3, map.definition.valueSize);
      return errno(map.helperUpdate(key, value, thread.index));
    }
    case HELPER_ID.mapDelete:
      return errno(map.helperDelete(key));
    default:
      return errno(map.helperAdd(key));
  }
}

/** An `int` result in a 64-bit register. */
function errno(result: number): bigint {
  return BigInt.asUintN(64, BigInt(result));
}

function mapArgument(call: HelperCall, helper: Helper): BpfMap {
  const address = call.register(1);
  const map = call.world.maps.find((each) => BigInt(each.address) === address);
  if (map === undefined)
    throw call.refuse({
      kind: 'helper-argument',
      what: `r1 of ${helper.name} is 0x${address.toString(16)}, not a map`,
    });
  return map;
}

/** The address in a register, from which `bytes` may be read. */
function readable(call: HelperCall, register: number, bytes: number): number {
  const address = call.register(register);
  const refusal = bytes === 0 ? undefined : call.rights.read(address, bytes);
  if (refusal !== undefined) throw call.refuse({ ...refusal, what: `r${register}: ${refusal.what}` });
  return Number(address);
}

function formatArgument(call: HelperCall, helper: Helper): number {
  const format = call.register(1);
  for (let i = 0; i < MAX_FORMAT_BYTES; i++) {
    const refusal = call.rights.read(format + BigInt(i), 1);
    if (refusal !== undefined) throw call.refuse({ ...refusal, what: `r1: ${refusal.what}` });
    if (call.world.memory.bytes[Number(format) + i] === 0) return Number(format);
  }
  throw call.refuse({
    kind: 'helper-argument',
    what: `the format of ${helper.name} does not end within ${MAX_FORMAT_BYTES} bytes`,
  });
}
