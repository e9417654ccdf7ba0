import type { Program } from '../../src/bpf/program.ts';
import type { VerifierResult } from '../../src/bpf/verifier/index.ts';
import { CAPABILITY, withoutCapabilities } from '../support/capabilities.ts';
import { kernelObjection, PROGRAM_TYPE } from '../support/kernel-bpf.ts';
import { kernelForm, kernelFormWithEnd } from '../support/kernel-form.ts';
import type { KernelMaps } from '../support/kernel-map.ts';

/** Lengths that programs compare with most often: of headers, of whole packets. */
const USUAL_LENGTHS = [1, 14, 34, 40, 100, 600];
const MOST_LENGTHS = 9;

/**
 * What Linux objects to in the program, with the length of packet; `undefined`: nothing, at any length that was asked
 * for. Whom Linux trusts may show addresses and read stack bytes that nobody wrote, as no filter may: where that is why
 * the program was rejected here, Linux is asked as one whom it does not trust.
 *
 * @throws NotConvertible
 */
export function kernelOpinion(program: Program, result: VerifierResult, maps: KernelMaps): string | undefined {
  const lengths = lengthsFor(program, result);
  for (const length of lengths) {
    const objection = kernelObjection(PROGRAM_TYPE.xdp, kernelForm(program, length, maps));
    if (objection !== undefined) return `${objection} (packet of ${length} bytes)`;
  }
  if (result.accepted) return undefined;
  for (const length of lengths) {
    // An empty packet's only pointer is the one behind it, which Linux does not let the untrusted have.
    if (length === 0) continue;
    const objection = objectionToUntrusted(() => kernelForm(program, length, maps));
    if (objection !== undefined) return `${objection} (packet of ${length} bytes, untrusted)`;
  }
  return undefined;
}

/** The same of a program that takes the packet's end in r2. */
export function kernelOpinionOnEnd(program: Program, result: VerifierResult): string | undefined {
  const objection = kernelObjection(PROGRAM_TYPE.xdp, kernelFormWithEnd(program));
  if (objection !== undefined || result.accepted) return objection;
  return objectionToUntrusted(() => kernelFormWithEnd(program));
}

function objectionToUntrusted(form: () => Parameters<typeof kernelObjection>[1]): string | undefined {
  const code = form();
  return withoutCapabilities([CAPABILITY.sysAdmin, CAPABILITY.perfmon], () => kernelObjection(PROGRAM_TYPE.xdp, code));
}

/** What the verifier found to be just too short; where its checks lie, as far as its numbers say; lengths of headers. */
function lengthsFor({ instructions }: Program, result: VerifierResult): number[] {
  const least = result.accepted
    ? result.summary.packetBytes
    : Number(/\blen=(\d+)/.exec(result.rejection.state)?.[1] ?? 0);
  const lengths = new Set([Math.min(least, 2000), 0, 64]);
  const compared = instructions.flatMap(({ imm }) => [imm - 1, imm, imm + 1]);
  for (const length of [...compared, ...USUAL_LENGTHS]) {
    if (length > 0 && length <= 1024 && lengths.size < MOST_LENGTHS) lengths.add(length);
  }
  return [...lengths];
}
