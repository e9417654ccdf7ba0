import {
  BUNDLE_CONTROL_TYPES,
  type BundleControl,
  encodeMessage,
  errorReply,
  ProtocolError,
} from '../../openflow/index.ts';
import { nextTurn, runSlice } from '../slice.ts';
import type { FlowTransaction } from '../transaction.ts';
import type { BundledMessage } from './bundle.ts';
import { MapUpdates } from './map-updates.ts';
import { checkPacketOut, packetOut } from './packet-out.ts';
import { checkProgramsNamed } from './program-check.ts';
import { refusal } from './refusal.ts';
import type { Session } from './session.ts';
import type { SwitchControl } from './switch-control.ts';

/** Carries out a request about a bundle; a promise that is yielded has to be waited for. */
export function* answerBundleControl(
  control: SwitchControl,
  session: Session,
  request: BundleControl & { readonly xid: number },
): Generator<Uint8Array | Promise<void>> {
  switch (request.control) {
    case 'open_request':
      session.bundles.open(request);
      break;
    case 'close_request':
      session.bundles.close(request);
      break;
    case 'discard_request':
      session.bundles.discard(request);
      break;
    case 'commit_request': {
      const commit = new BundleCommit(control, session, session.bundles.take(request));
      try {
        commit.checkOthers();
        yield commit.carryOut();
      } catch (error) {
        yield* encodeMessage(commit.errorFor(error), session.dialect);
        throw new ProtocolError('OFPBFC_MSG_FAILED', `bundle ${request.bundleId} was not committed`);
      }
      break;
    }
    default:
      throw new ProtocolError('OFPBFC_BAD_TYPE', `a switch does not take ${request.control}`);
  }
  const reply = BUNDLE_CONTROL_TYPES[BUNDLE_CONTROL_TYPES.indexOf(request.control) + 1];
  yield* encodeMessage({ ...request, control: reply, flags: 0 }, session.dialect);
}

/** All messages of a bundle at once, or none of them. */
class BundleCommit {
  readonly #control: SwitchControl;
  readonly #session: Session;
  readonly #messages: readonly BundledMessage[];
  readonly #flowMods: BundledMessage[] = [];
  readonly #mapUpdates: MapUpdates;
  #transaction: FlowTransaction;
  /** The message that is being looked at. */
  #current: BundledMessage | undefined;

  constructor(control: SwitchControl, session: Session, messages: readonly BundledMessage[]) {
    this.#control = control;
    this.#session = session;
    this.#messages = messages;
    this.#mapUpdates = new MapUpdates(control.bridge.programs);
    this.#transaction = control.bridge.transaction();
  }

  /** Refuses what would fail only after the flows had been changed. */
  checkOthers(): void {
    for (const bundled of this.#messages) {
      this.#current = bundled;
      const { message } = bundled;
      if (message.type === 'packet_out') checkPacketOut(this.#control.bridge, message);
      if (message.type === 'oko') this.#mapUpdates.add(message);
      if (message.type !== 'port_mod') continue;
      const { port: number, hardwareAddress } = message;
      const port = this.#control.bridge.ports.get(number);
      if (hardwareAddress.some((byte, i) => byte !== port.mac[i]))
        throw new ProtocolError('OFPPMFC_BAD_HW_ADDR', `port ${number} has another address`);
    }
    this.#current = undefined;
  }

  async carryOut(): Promise<void> {
    const staging = this.#stage();
    while (!runSlice(staging)) await nextTurn();
    // Others may have begun something meanwhile.
    for (let { changing } = this.#control.bridge; changing !== undefined; { changing } = this.#control.bridge)
      await changing;
    await this.#transaction.commitInSlices();
    this.#mapUpdates.carryOut();
    for (const { message } of this.#messages) {
      if (message.type === 'packet_out') packetOut(this.#control.bridge, message);
      if (message.type !== 'port_mod') continue;
      const { port, hardwareAddress, config, mask } = message;
      this.#control.bridge.portMod({ port, mac: hardwareAddress, config, mask });
    }
  }

  *#stage(): Generator<void> {
    for (const bundled of this.#messages) {
      if (bundled.message.type !== 'flow_mod') continue;
      this.#flowMods.push(bundled);
      this.#current = bundled;
      checkProgramsNamed(this.#control.bridge, bundled.message);
      this.#current = undefined;
      const origin = { session: this.#session, xid: bundled.message.xid };
      this.#transaction.flowMod(bundled.message, { version: this.#session.version, origin });
      yield;
    }
  }

  /** The error about the message that failed. */
  errorFor(error: unknown): ReturnType<typeof errorReply> {
    const failed = this.#current ?? this.#flowMods[this.#transaction.failedAt];
    return errorReply(
      refusal(error),
      failed?.bytes ?? new Uint8Array(0),
      this.#session.version,
      this.#session.isExtended,
    );
  }
}
