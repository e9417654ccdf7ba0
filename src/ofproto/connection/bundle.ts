import {
  type BundleAdd,
  type BundleControl,
  type Message,
  nameOfMessage,
  ProtocolError,
  readHeader,
} from '../../openflow/index.ts';
import { isMapUpdate } from './map-updates.ts';

/** What one connection may have waiting in bundles. */
const MAX_BUNDLES = 16;
const MAX_MESSAGES = 1_000_000;
const MAX_BYTES = 256 << 20;

/** Flags of a bundle: all or nothing, and in the order of addition. Every bundle is carried out as if it had both. */
export const BUNDLE_FLAGS = { atomic: 1, ordered: 2 } as const;
const KNOWN_FLAGS = BUNDLE_FLAGS.atomic | BUNDLE_FLAGS.ordered;

/** Of the extension, updates of maps (`MapUpdates`). */
const BUNDLED_TYPES = ['flow_mod', 'port_mod', 'packet_out', 'oko'] as const;
type Bundled = Extract<Message, { readonly type: (typeof BUNDLED_TYPES)[number] }>;

/** A message that waits in a bundle, with its bytes as they came in. */
export interface BundledMessage {
  readonly message: Bundled;
  readonly bytes: Uint8Array;
}

interface Bundle {
  readonly flags: number;
  isOpen: boolean;
  bytes: number;
  readonly messages: BundledMessage[];
}

function isBundled(message: Message): message is Bundled {
  return BUNDLED_TYPES.some((type) => type === message.type);
}

/** The bundles of one connection (OpenFlow 1.4.1 section 6.8; ONF extension 230 for 1.3). */
export class BundleStore {
  readonly #bundles = new Map<number, Bundle>();

  /** @throws ProtocolError OFPBFC_BAD_ID when it is open already, which ends it */
  open({ bundleId, flags }: BundleControl): void {
    if (this.#bundles.delete(bundleId)) throw new ProtocolError('OFPBFC_BAD_ID', `bundle ${bundleId} was open already`);
    this.#create(bundleId, flags);
  }

  /** @throws ProtocolError OFPBFC_BAD_ID, OFPBFC_BUNDLE_CLOSED, OFPBFC_BAD_FLAGS */
  close({ bundleId, flags }: BundleControl): void {
    const bundle = this.#get(bundleId, flags);
    if (!bundle.isOpen) throw this.#end(bundleId, 'OFPBFC_BUNDLE_CLOSED', 'is closed already');
    bundle.isOpen = false;
  }

  discard({ bundleId }: BundleControl): void {
    if (!this.#bundles.delete(bundleId)) throw new ProtocolError('OFPBFC_BAD_ID', `there is no bundle ${bundleId}`);
  }

  /** Ends a bundle and hands over what is to be carried out. */
  take({ bundleId, flags }: BundleControl): readonly BundledMessage[] {
    const bundle = this.#get(bundleId, flags);
    this.#bundles.delete(bundleId);
    return bundle.messages;
  }

  /**
   * Adds a message; a bundle that nobody has opened is opened. `decode` is called with the message's bytes.
   * @throws ProtocolError
   */
  add(request: BundleAdd, xid: number, decode: (bytes: Uint8Array) => Message): void {
    const { bundleId, flags, message: bytes } = request;
    if (readHeader(bytes).xid !== xid)
      throw new ProtocolError(
        'OFPBFC_MSG_BAD_XID',
        'a bundled message with another transaction id than its bundle_add',
      );
    // A message of another kind is not even read.
    const name = nameOfMessage(bytes);
    if (name !== 'experimenter' && !BUNDLED_TYPES.some((type) => type === name))
      throw new ProtocolError('OFPBFC_MSG_UNSUP', `${name ?? 'an unknown message'} cannot be bundled`);
    const message = decode(bytes);
    if (!isBundled(message) || (message.type === 'oko' && !isMapUpdate(message)))
      throw new ProtocolError('OFPBFC_MSG_UNSUP', `${message.type} cannot be bundled`);
    const bundle = this.#bundles.has(bundleId) ? this.#get(bundleId, flags) : this.#create(bundleId, flags);
    if (!bundle.isOpen) throw this.#end(bundleId, 'OFPBFC_BUNDLE_CLOSED', 'is closed');
    if (bundle.messages.length >= MAX_MESSAGES || bundle.bytes + bytes.length > MAX_BYTES)
      throw new ProtocolError('OFPBFC_MSG_TOO_MANY', `bundle ${bundleId} is full`);
    bundle.bytes += bytes.length;
    bundle.messages.push({ message, bytes });
  }

  #create(bundleId: number, flags: number): Bundle {
    if ((flags & ~KNOWN_FLAGS) !== 0) throw new ProtocolError('OFPBFC_BAD_FLAGS', `bundle flags ${flags}`);
    if (this.#bundles.size >= MAX_BUNDLES)
      throw new ProtocolError('OFPBFC_OUT_OF_BUNDLES', `${MAX_BUNDLES} bundles are open`);
    const bundle: Bundle = { flags, isOpen: true, bytes: 0, messages: [] };
    this.#bundles.set(bundleId, bundle);
    return bundle;
  }

  #get(bundleId: number, flags: number): Bundle {
    const bundle = this.#bundles.get(bundleId);
    if (bundle === undefined) throw new ProtocolError('OFPBFC_BAD_ID', `there is no bundle ${bundleId}`);
    if (bundle.flags !== flags)
      throw this.#end(bundleId, 'OFPBFC_BAD_FLAGS', `has flags ${bundle.flags}, not ${flags}`);
    return bundle;
  }

  /** A bundle that was used wrongly is discarded. */
  #end(bundleId: number, error: 'OFPBFC_BUNDLE_CLOSED' | 'OFPBFC_BAD_FLAGS', why: string): ProtocolError {
    this.#bundles.delete(bundleId);
    return new ProtocolError(error, `bundle ${bundleId} ${why}`);
  }
}
