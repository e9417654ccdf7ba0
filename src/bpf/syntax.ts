import type { InstructionForm } from './isa.ts';

/** The operands that a form's syntax can have (isa.ts says how each is written). */
export type OperandField =
  | 'dst'
  | 'src'
  | 'wdst'
  | 'wsrc'
  | 'dst|w'
  | 'src|w'
  | 'offset'
  | 'imm'
  | 'uimm'
  | 'plus_imm'
  | 'target'
  | 'target32'
  | 'imm64'
  | 'imm_next';

/** A form's syntax in parts: fixed text, or an operand. */
export type SyntaxPart = { readonly text: string } | { readonly field: OperandField };

const parsed = new Map<InstructionForm, readonly SyntaxPart[]>();

/** The syntax of a form, cut where its operands stand. */
export function syntaxOf(form: InstructionForm): readonly SyntaxPart[] {
  const known = parsed.get(form);
  if (known !== undefined) return known;
  const parts = form.syntax
    .split(/(\{[^}]+\})/)
    .filter((part) => part !== '')
    .map((part): SyntaxPart => (part.startsWith('{') ? { field: part.slice(1, -1) as OperandField } : { text: part }));
  parsed.set(form, parts);
  return parts;
}
