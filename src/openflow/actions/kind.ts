import type { Action, ActionOf, ActionType, FieldUse } from '../action.ts';
import { OpenflowError } from '../errors.ts';
import type { TextNames } from '../text/names.ts';
import type { KeyValue } from '../text/tokens.ts';

/** What a parser of one action may call on. */
export interface ActionParsing {
  readonly names: TextNames;
  /** Parses a nested list, as in clone(…); `where` names it. */
  nested(text: string, where: ActionType): readonly Action[];
}

/** What a formatter of one action may call on. */
export interface ActionFormatting {
  readonly names: TextNames;
  nested(actions: readonly Action[]): string;
}

/** All that is known of one type of action, apart from its wire formats. */
export interface ActionKind<A extends Action = Action> {
  format(action: A, formatting: ActionFormatting): string;
  /** Reports what executing the action looks at, so that caches can tell packets apart by it. */
  reads?(action: A, use: FieldUse): void;
  /** Reports what it changes. */
  writes?(action: A, use: FieldUse): void;
  /** The actions inside it. */
  nested?(action: A): readonly Action[];
}

export type ActionKinds = { readonly [T in ActionType]: ActionKind<ActionOf<T>> };

/** Parses the text of one action, found by its keyword. */
export type ActionParser = (piece: KeyValue, parsing: ActionParsing) => Action;

export function badAction(message: string): OpenflowError {
  return new OpenflowError('OPENFLOW_BAD_ACTION', message);
}

/** The arguments of `name(a,b,…)` or `name:a,b`, split at commas. */
export function argumentList(value: string): string[] {
  return value === '' ? [] : value.split(',').map((argument) => argument.trim());
}
