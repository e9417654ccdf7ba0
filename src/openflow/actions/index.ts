import { placeMask } from '../../packet/index.ts';
import type { Action, ActionType, FieldUse } from '../action.ts';
import { controlKinds, controlParsers, instructionKinds } from './control.ts';
import { ctKinds, ctParsers } from './ct.ts';
import { fieldKinds, fieldParsers, subfieldValue } from './fields.ts';
import type { ActionKind, ActionKinds, ActionParser } from './kind.ts';
import { learnKinds, learnParsers } from './learn.ts';
import { outputKinds, outputParsers } from './output.ts';

/** Everything known of each type of action. A new action is one entry here, one in `Action` and one in the wire tables. */
export const ACTION_KINDS: ActionKinds = {
  ...outputKinds,
  ...fieldKinds,
  ...controlKinds,
  ...ctKinds,
  ...learnKinds,
  ...instructionKinds,
};

/** The kind of an action, for any type of action. */
export function actionKind(action: Action): ActionKind {
  return ACTION_KINDS[action.type];
}

/** Parsers by keyword; some keywords are other names for the same action. */
export const ACTION_PARSERS: ReadonlyMap<string, ActionParser> = new Map(
  Object.entries({ ...outputParsers, ...fieldParsers, ...controlParsers, ...ctParsers, ...learnParsers }),
);

const INSTRUCTION_ORDER: readonly ActionType[] = [
  'meter',
  // Everything else is applied at once, here.
  'clear_actions',
  'write_actions',
  'write_metadata',
  'goto_table',
];

/** Is it an instruction of its own on the wire (OpenFlow 1.1 and later)? */
export function isInstruction(type: ActionType): boolean {
  return INSTRUCTION_ORDER.includes(type);
}

/** 0 meter, 1 applied actions, 2 clear_actions, … : the order that OpenFlow executes them in. */
export function instructionRank(type: ActionType): number {
  const index = INSTRUCTION_ORDER.indexOf(type);
  return index < 0 ? 1 : index === 0 ? 0 : index + 1;
}

/** Every action of a list, those inside others included. */
export function* actionsWithin(actions: readonly Action[]): Generator<Action, void> {
  for (const action of actions) {
    yield action;
    const nested = actionKind(action).nested?.(action);
    if (nested) yield* actionsWithin(nested);
  }
}

/** Reports the fields that a list of actions reads, nested ones included. */
export function actionsRead(actions: readonly Action[], use: FieldUse): void {
  for (const action of actions) {
    const kind = actionKind(action);
    kind.reads?.(action, use);
    if (kind.nested) actionsRead(kind.nested(action), use);
  }
}

/** Reports the fields that a list of actions writes, nested ones included. */
export function actionsWrite(actions: readonly Action[], use: FieldUse): void {
  for (const action of actions) {
    const kind = actionKind(action);
    kind.writes?.(action, use);
    if (kind.nested) actionsWrite(kind.nested(action), use);
  }
}

/** A `FieldUse` that sets the bits in a mask of the key's layout; bits past its end are left out. */
export function denseFieldUse(dense: Uint8Array): FieldUse {
  const add = (offset: number, mask: Uint8Array): void => {
    for (let i = 0; i < mask.length; i++) if (offset + i < dense.length) dense[offset + i] |= mask[i];
  };
  return {
    field: (field, mask) => add(field.place.offset, placeMask(field, mask)),
    subfield: (part) => add(part.field.place.offset, placeMask(part.field, subfieldValue(part, 0n).mask)),
  };
}
