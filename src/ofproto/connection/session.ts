import {
  type Dialect,
  decodeMessage,
  encodeMessage,
  type Message,
  type PacketIn,
  splitLegacyFlowMod,
  withLegacyProgram,
  withoutProgram,
} from '../../openflow/index.ts';
import { type Field, OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import type { Bridge } from '../bridge.ts';
import { type AsyncMasks, defaultAsyncMasks, silentAsyncMasks } from './async-config.ts';
import { BundleStore } from './bundle.ts';
import { FlowMonitors } from './flow-monitors.ts';
import type { MapFeed } from './map-feed.ts';
import { messageFromPeer, messageToPeer, namesProgram } from './program-field.ts';
import { ProgramUploads } from './program-upload.ts';
import type { ControllerRole, RoleHolder } from './roles.ts';

/**
 * `controller`: a peer that the switch is configured to obey. `service`: whoever comes to a management socket; it is told
 * nothing that it has not asked for.
 */
export type SessionKind = 'controller' | 'service';

/** What of a packet a controller gets that has set nothing (ofp_switch_config of OpenFlow 1.0). */
const DEFAULT_MISS_SEND_LEN = 128;

/** What a switch and one peer have agreed on. */
export class Session implements RoleHolder {
  readonly kind: SessionKind;
  readonly version: OpenflowVersion;
  readonly bundles = new BundleStore();
  readonly uploads = new ProgramUploads();
  /** Maps that are sent without being asked for each time. */
  feed: MapFeed | undefined;
  readonly monitors = new FlowMonitors();
  /** Whose settings messages are read and written by. */
  bridge: Pick<Bridge, 'filterProgField' | 'okoLegacy'> | undefined;
  role: ControllerRole = 'equal';
  /** OpenFlow 1.0: flows in Nicira's form, and tables in flow_mods. */
  nxm = false;
  tableId = false;
  /** The peer has asked for the features of Oko's extension or matched filter_prog, so it knows the field. */
  oko = false;
  /** It has sent any message of the extension, so it knows the extension's errors and messages. */
  isExtended = false;
  packetInFormat: PacketIn['format'] = 'standard';
  controllerId = 0;
  missSendLen: number;
  sendsInvalidTtl = false;
  async: AsyncMasks;

  /** `isTold`: does it get announcements before it asks for any? */
  constructor(kind: SessionKind, version: OpenflowVersion, isTold = true) {
    this.kind = kind;
    this.version = version;
    this.missSendLen = kind === 'controller' ? DEFAULT_MISS_SEND_LEN : 0;
    this.async = isTold ? defaultAsyncMasks(version) : silentAsyncMasks(version);
  }

  /** Does the peer speak the original Oko's layouts? One that knows our extension does not. */
  get isLegacy(): boolean {
    return this.bridge?.okoLegacy === true && !this.isExtended;
  }

  /** The field that stands for filter_prog in what the peer is told: it may not know another. */
  get programField(): Field | undefined {
    return this.oko || this.isLegacy ? undefined : this.bridge?.filterProgField;
  }

  /** A message as the bridge means it. */
  decode(bytes: Uint8Array): Message {
    const legacy = this.isLegacy ? splitLegacyFlowMod(bytes, this.version) : undefined;
    if (legacy !== undefined) return withLegacyProgram(decodeMessage(legacy.standard, this.dialect), legacy.program);
    const message = decodeMessage(bytes, this.dialect);
    if (namesProgram(message)) this.oko = true;
    return messageFromPeer(message, this.bridge?.filterProgField);
  }

  /** A message as the peer understands it. */
  encode(message: Message): Uint8Array[] {
    const shown = this.isLegacy ? withoutProgram(message) : messageToPeer(message, this.programField);
    return encodeMessage(shown, this.dialect);
  }

  get dialect(): Dialect {
    return { version: this.version, nxm: this.nxm, tableId: this.tableId, oko: this.oko, legacy: this.isLegacy };
  }

  /** Does it get announcements at all? A service does once it has set a length of packets to be sent. */
  get isListening(): boolean {
    return this.kind === 'controller' || this.missSendLen > 0;
  }

  get is10(): boolean {
    return this.version === OPENFLOW_VERSIONS.of10;
  }
}
