import { randomUUID } from 'node:crypto';

declare const uuidBrand: unique symbol;

/** The text of a UUID in lower case, as `f1b6c1f2-7d0c-4a6c-b1a5-0d1f8b0f1f2e`. */
export type Uuid = string & { readonly [uuidBrand]: true };

export const ZERO_UUID = '00000000-0000-0000-0000-000000000000' as Uuid;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function parseUuid(text: string): Uuid | undefined {
  return UUID.test(text) ? (text.toLowerCase() as Uuid) : undefined;
}

export function newUuid(): Uuid {
  return randomUUID() as Uuid;
}
