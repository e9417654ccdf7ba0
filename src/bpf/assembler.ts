import { type Token, tokenize } from './asm-tokens.ts';
import { encodeProgram, MAX_INSTRUCTIONS } from './codec.ts';
import { BpfError } from './errors.ts';
import { INSTRUCTION_FORMS, type InstructionForm, Opcode } from './isa.ts';
import type { Instruction } from './program.ts';
import { type OperandField, syntaxOf } from './syntax.ts';

/** Longest text that is read, in UTF-16 units. */
const MAX_TEXT = 16 * 1024 * 1024;
const MAX_LINE = 1024;

/**
 * Assembles the syntax that the disassembler writes, which is llvm-objdump's:
 *
 *     entry:
 *         r0 = 0
 *         if r2 < 14 goto out        # a label, or a distance: goto +0x3
 *         w3 = *(u16 *)(r1 + 12)
 *         r1 = map 0 ll
 *         call 1                     # helper 1; a local function is called by its label or by `call +0x3`
 *     out:
 *         exit
 *
 * Numbers are decimal or hexadecimal. `#`, `;` and `//` begin a comment. Slot numbers and bytes in front of an instruction and
 * `<…>` behind it, as in a disassembly, are passed over.
 *
 * @throws BpfError BPF_BAD_ASSEMBLY, naming the line, and whatever encodeProgram refuses
 */
export function assemble(text: string): Instruction[] {
  if (text.length > MAX_TEXT)
    throw new BpfError('BPF_BAD_ASSEMBLY', `the text has ${text.length} characters; at most ${MAX_TEXT} are allowed`);
  const instructions: Instruction[] = [];
  const labels = new Map<string, number>();
  const references: {
    readonly pc: number;
    readonly label: string;
    readonly field: 'offset' | 'imm';
    readonly line: number;
  }[] = [];
  let line = 0;
  for (const raw of text.split('\n')) {
    line++;
    if (raw.length > MAX_LINE) throw bad(line, `longer than ${MAX_LINE} characters`);
    let rest = plainText(raw);
    for (let label = leadingLabel(rest); label !== undefined; label = leadingLabel(rest)) {
      if (labels.has(label.name)) throw bad(line, `label ${label.name} is defined twice`);
      labels.set(label.name, instructions.length);
      rest = label.rest;
    }
    if (rest === '') continue;
    const { parts, label } = parseInstruction(rest, line);
    if (label !== undefined) references.push({ pc: instructions.length, line, ...label });
    instructions.push(...parts);
    if (instructions.length > MAX_INSTRUCTIONS) throw bad(line, `more than ${MAX_INSTRUCTIONS} instructions`);
  }
  for (const { pc, label, field, line: at } of references) {
    const target = labels.get(label);
    if (target === undefined) throw bad(at, `there is no label ${label}`);
    const distance = target - pc - 1;
    if (field === 'offset' && (distance < -0x8000 || distance > 0x7fff))
      throw bad(at, `label ${label} is ${distance} slots away; a jump reaches 32767 (gotol reaches further)`);
    instructions[pc] = { ...instructions[pc], [field]: distance };
  }
  encodeProgram(instructions);
  return instructions;
}

function bad(line: number, text: string): BpfError {
  return new BpfError('BPF_BAD_ASSEMBLY', `line ${line}: ${text}`);
}

/** Without comment, and without what a disassembly puts before and behind the instruction. */
function plainText(raw: string): string {
  return raw
    .replace(/(?:#|;|\/\/).*$/, '')
    .replace(/^\s*\d+:\s+(?:(?:[0-9a-f]{2} ){7}(?:[0-9a-f]{2} (?:[0-9a-f]{2} ){7})?[0-9a-f]{2}\s+)?/, '')
    .replace(/^[0-9a-f]{16} <([^<>]*)>:/, '$1:')
    .replace(/\s<[^<>]*>\s*$/, '')
    .trim();
}

function leadingLabel(text: string): { name: string; rest: string } | undefined {
  const match = /^([A-Za-z_.$][\w.$]*):\s*/.exec(text);
  return match === null ? undefined : { name: match[1], rest: text.slice(match[0].length) };
}

interface Pattern {
  readonly form: InstructionForm;
  /** What each operand token is, in order: a field, or a register that is always this one (`r0 = cmpxchg…`). */
  readonly fields: readonly (OperandField | bigint)[];
}

/** Every way to write an instruction, by the shape of its tokens. */
const patterns = new Map<string, Pattern>();
for (const form of INSTRUCTION_FORMS)
  for (const pattern of shapesOf(form)) if (!patterns.has(pattern.shape)) patterns.set(pattern.shape, pattern);

/** The shapes of tokens that an operand may have; '' when it may be left out. */
function operandShapes(field: OperandField): readonly string[] {
  switch (field) {
    case 'dst':
    case 'src':
      return ['r'];
    case 'wdst':
    case 'wsrc':
      return ['w'];
    case 'dst|w':
    case 'src|w':
      return ['r', 'w'];
    case 'offset':
    case 'plus_imm':
      return ['±', ''];
    case 'target':
    case 'target32':
      return ['±', 'label'];
    case 'uimm':
      return ['#'];
    default:
      return ['#', '±'];
  }
}

function shapesOf(form: InstructionForm): (Pattern & { shape: string })[] {
  let found: { shapes: string[]; fields: (OperandField | bigint)[] }[] = [{ shapes: [], fields: [] }];
  for (const part of syntaxOf(form)) {
    if ('text' in part) {
      const tokens = tokenize(part.text);
      const fixed = tokens.filter((token) => token.isOperand).map((token) => token.value);
      found = found.map(({ shapes, fields }) => ({
        shapes: [...shapes, ...tokens.map((token) => token.shape)],
        fields: [...fields, ...fixed],
      }));
      continue;
    }
    found = found.flatMap(({ shapes, fields }) =>
      operandShapes(part.field).map((shape) =>
        shape === '' ? { shapes, fields } : { shapes: [...shapes, shape], fields: [...fields, part.field] },
      ),
    );
  }
  return found.map(({ shapes, fields }) => ({ form, fields, shape: shapes.join(' ') }));
}

interface ParsedInstruction {
  readonly parts: Instruction[];
  readonly label?: { readonly label: string; readonly field: 'offset' | 'imm' };
}

function parseInstruction(text: string, line: number): ParsedInstruction {
  const tokens = tokenize(text);
  const pattern = patterns.get(tokens.map((token) => token.shape).join(' '));
  if (pattern === undefined) throw bad(line, `"${text}" is not an instruction`);
  const { form, fields } = pattern;
  const values: { dst: number; src: number; offset: number; imm: number } = { dst: 0, src: 0, offset: 0, imm: 0 };
  if (form.selector !== undefined) values[form.selector.field] = form.selector.value;
  let next = 0;
  let label: ParsedInstruction['label'];
  const given = new Set<'dst' | 'src'>();
  const register = (field: 'dst' | 'src', token: Token): void => {
    // `r1 = -r1`: the syntax names the register twice, the instruction has it once.
    if (given.has(field) && values[field] !== Number(token.value))
      throw bad(line, `"${text}": both must be the same register`);
    given.add(field);
    values[field] = Number(token.value);
  };
  const range = (value: bigint, min: bigint, max: bigint): bigint => {
    if (value < min || value > max) throw bad(line, `"${text}": ${value} is not within ${min} to ${max}`);
    return value;
  };
  const imm32 = (token: Token): number => Number(BigInt.asIntN(32, range(token.value, -(1n << 31n), (1n << 32n) - 1n)));
  const distance = (token: Token): number => Number(range(token.value, -(1n << 31n), (1n << 31n) - 1n));
  const offset16 = (token: Token): number => Number(range(token.value, -(1n << 15n), (1n << 15n) - 1n));
  const operands = tokens.filter((token) => token.isOperand);
  for (const [i, field] of fields.entries()) {
    const token = operands[i];
    if (typeof field === 'bigint') {
      if (token.value !== field) throw bad(line, `"${text}": the register must be ${token.shape}${field}`);
      continue;
    }
    switch (field) {
      case 'dst':
      case 'wdst':
      case 'dst|w':
        register('dst', token);
        break;
      case 'src':
      case 'wsrc':
      case 'src|w':
        register('src', token);
        break;
      case 'offset':
        values.offset = offset16(token);
        break;
      case 'imm':
      case 'uimm':
      case 'plus_imm':
        values.imm = imm32(token);
        break;
      case 'target':
        if (token.label === undefined) values.offset = offset16(token);
        else label = { label: token.label, field: 'offset' };
        break;
      case 'target32':
        if (token.label === undefined) values.imm = distance(token);
        else label = { label: token.label, field: 'imm' };
        break;
      case 'imm64': {
        const value = range(token.value, -(1n << 63n), (1n << 64n) - 1n);
        values.imm = Number(BigInt.asIntN(32, value));
        next = Number(BigInt.asIntN(32, value >> 32n));
        break;
      }
      case 'imm_next':
        next = imm32(token);
        break;
    }
  }
  const first: Instruction = { opcode: form.opcode, ...values };
  const parts =
    form.opcode === Opcode.LDDW ? [first, { opcode: Opcode.LDDW_TAIL, dst: 0, src: 0, offset: 0, imm: next }] : [first];
  return label === undefined ? { parts } : { parts, label };
}
