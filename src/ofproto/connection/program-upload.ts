import { ExtensionError, type ProgramLoad } from '../../openflow/index.ts';
import { MAX_OBJECT_BYTES } from '../programs/index.ts';

/** Objects of which parts are still to come, of one connection. */
const MAX_UPLOADS = 4;

interface Upload {
  readonly first: ProgramLoad;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** An object that has arrived as a whole. */
export interface UploadedObject {
  /** The first part, which has the names. */
  readonly load: ProgramLoad;
  readonly object: Uint8Array;
}

/** Puts the parts of objects together that one connection sends; parts with the same transaction id belong to one object. */
export class ProgramUploads {
  readonly #uploads = new Map<number, Upload>();

  /**
   * Takes a part, and gives the object when it was the last.
   *
   * @throws ExtensionError OKO_BAD_CHUNK, OKO_TOO_LARGE, OKO_TOO_MANY; what has arrived of the object is forgotten then
   */
  add(xid: number, part: ProgramLoad): UploadedObject | undefined {
    try {
      return this.#add(xid, part);
    } catch (error) {
      this.#uploads.delete(xid);
      throw error;
    }
  }

  #add(xid: number, part: ProgramLoad): UploadedObject | undefined {
    if (part.totalBytes > MAX_OBJECT_BYTES)
      throw new ExtensionError(
        'OKO_TOO_LARGE',
        `an object file of ${part.totalBytes} bytes; at most ${MAX_OBJECT_BYTES} are taken`,
      );
    const upload = part.offset === 0 ? this.#start(xid, part) : this.#uploads.get(xid);
    if (upload === undefined)
      throw new ExtensionError('OKO_BAD_CHUNK', `the object begins at byte ${part.offset}: its first part is missing`);
    const { first } = upload;
    if (part.offset !== upload.bytes || part.totalBytes !== first.totalBytes || part.program !== first.program)
      throw new ExtensionError(
        'OKO_BAD_CHUNK',
        `byte ${upload.bytes} of ${first.totalBytes} of program ${first.program} was to come next, ` +
          `not byte ${part.offset} of ${part.totalBytes} of program ${part.program}`,
      );
    upload.parts.push(part.data);
    upload.bytes += part.data.length;
    if (upload.bytes > first.totalBytes || part.more === (upload.bytes === first.totalBytes))
      throw new ExtensionError(
        'OKO_BAD_CHUNK',
        `${upload.bytes} bytes have come of an object that was said to have ${first.totalBytes}, ` +
          `and ${part.more ? 'more are' : 'no more is'} to follow`,
      );
    if (part.more && part.data.length === 0)
      throw new ExtensionError('OKO_BAD_CHUNK', `a part of program ${part.program} has no bytes`);
    if (part.more) return undefined;
    this.#uploads.delete(xid);
    return { load: first, object: joined(upload) };
  }

  #start(xid: number, part: ProgramLoad): Upload {
    this.#uploads.delete(xid);
    if (this.#uploads.size >= MAX_UPLOADS)
      throw new ExtensionError('OKO_TOO_MANY', `${MAX_UPLOADS} objects are being sent on this connection already`);
    const upload: Upload = { first: part, parts: [], bytes: 0 };
    this.#uploads.set(xid, upload);
    return upload;
  }
}

function joined({ parts, bytes }: Upload): Uint8Array {
  const object = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    object.set(part, at);
    at += part.length;
  }
  return object;
}
