import { join } from 'node:path';
import type { Clock } from '../../datapath/index.ts';
import {
  type Bridge,
  type ControllerRole,
  Controllers,
  parseTarget,
  type TargetOptions,
  type TargetStatus,
  type TlsIdentity,
} from '../../ofproto/index.ts';
import type { Uuid } from '../../ovsdb/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import type { BridgeConfig, Row } from '../config/index.ts';
import type { ModuleLog } from '../log/index.ts';
import type { Columns } from '../status/row-writer.ts';

const VERSIONS: Readonly<Record<Row<'Bridge'>['protocols'][number], OpenflowVersion | undefined>> = {
  OpenFlow10: OPENFLOW_VERSIONS.of10,
  OpenFlow11: undefined,
  OpenFlow12: undefined,
  OpenFlow13: OPENFLOW_VERSIONS.of13,
  OpenFlow14: OPENFLOW_VERSIONS.of14,
  OpenFlow15: OPENFLOW_VERSIONS.of15,
};

/** Column Controller.role. */
const ROLES: Readonly<Record<ControllerRole, string>> = { equal: 'other', primary: 'master', secondary: 'slave' };

export interface BridgeControllersOptions {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly rundir: string;
  readonly version: string;
  readonly log: ModuleLog;
}

/** The controllers of a bridge as its rows say, and the two sockets that every bridge has. */
export class BridgeControllers {
  readonly #options: BridgeControllersOptions;
  #controllers: Controllers | undefined;
  #tls: TlsIdentity | undefined;
  /** By target. */
  #rows = new Map<string, Uuid>();
  #errors: ReadonlyMap<string, Error> = new Map();

  constructor(options: BridgeControllersOptions) {
    this.#options = options;
  }

  /** Undefined before the first `apply`. */
  get controllers(): Controllers | undefined {
    return this.#controllers;
  }

  async apply({ row, controllers }: BridgeConfig, datapathId: bigint, tls: TlsIdentity | undefined): Promise<void> {
    const failMode = row.fail_mode ?? 'standalone';
    const versions = versionsOf(row);
    if (this.#controllers === undefined) {
      const { bridge, clock, version } = this.#options;
      const description = {
        manufacturer: 'Oko',
        hardware: 'Oko software switch',
        software: version,
        serial: row.other_config.get('dp-sn') ?? 'None',
        datapath: row.other_config.get('dp-desc') ?? 'None',
      };
      this.#controllers = new Controllers({
        bridge,
        clock,
        datapathId,
        failMode,
        description,
        ...(versions === undefined ? {} : { versions }),
        ...(tls === undefined ? {} : { tls }),
      });
      this.#tls = tls;
    } else this.#configure(this.#controllers, datapathId, failMode, versions, tls);
    await this.#setTargets(this.#controllers, controllers);
  }

  #configure(
    controllers: Controllers,
    datapathId: bigint,
    failMode: 'standalone' | 'secure',
    versions: readonly OpenflowVersion[] | undefined,
    tls: TlsIdentity | undefined,
  ): void {
    if (tls !== this.#tls) {
      this.#tls = tls;
      try {
        controllers.setTls(tls);
      } catch (error) {
        this.#options.log.warn((error as Error).message);
      }
    }
    controllers.setDatapathId(datapathId);
    controllers.setVersions(versions);
    if (controllers.failMode !== failMode) controllers.setFailMode(failMode);
  }

  async #setTargets(controllers: Controllers, rows: readonly Row<'Controller'>[]): Promise<void> {
    const { bridge, rundir, log } = this.#options;
    const targets = new Map<string, TargetOptions>([
      [`punix:${join(rundir, `${bridge.name}.mgmt`)}`, { kind: 'service' }],
      [`punix:${join(rundir, `${bridge.name}.snoop`)}`, { kind: 'snoop' }],
    ]);
    this.#rows = new Map();
    for (const row of rows) {
      if (this.#rows.has(row.target)) continue;
      this.#rows.set(row.target, row._uuid);
      targets.set(row.target, targetOptions(row));
    }
    const before = this.#errors;
    this.#errors = await controllers.setTargets(targets);
    for (const [target, error] of this.#errors)
      if (before.get(target)?.message !== error.message) log.warn(`bridge ${bridge.name}: ${error.message}`);
  }

  /** Columns of the Controller rows. */
  *columns(): Iterable<readonly [Uuid, Columns]> {
    const known = new Map((this.#controllers?.status() ?? []).map((status) => [status.target, status]));
    for (const [target, uuid] of this.#rows) {
      const status = known.get(target);
      const error = this.#errors.get(target)?.message ?? status?.lastError;
      yield [uuid, statusColumns(status, error)];
    }
  }

  reconnect(): void {
    this.#controllers?.reconnect('asked for by bridge/reconnect');
  }

  async close(): Promise<void> {
    await this.#controllers?.close();
  }
}

function statusColumns(status: TargetStatus | undefined, error: string | undefined): Columns {
  const texts: Record<string, string> = { state: status?.state ?? 'VOID' };
  if (error !== undefined) texts.last_error = error;
  if (status?.secSinceConnect !== undefined) texts.sec_since_connect = String(status.secSinceConnect);
  if (status?.secSinceDisconnect !== undefined) texts.sec_since_disconnect = String(status.secSinceDisconnect);
  return {
    is_connected: status?.isConnected ?? false,
    role: status?.role === undefined ? null : ROLES[status.role],
    status: new Map(Object.entries(texts)),
  };
}

/** Undefined where the row does not restrict them, or only to versions that nobody speaks here. */
function versionsOf({ protocols }: Row<'Bridge'>): readonly OpenflowVersion[] | undefined {
  const versions = protocols.flatMap((name) => VERSIONS[name] ?? []);
  return versions.length === 0 ? undefined : versions;
}

/** Table Controller of ovs-vswitchd.conf.db(5). */
function targetOptions(row: Row<'Controller'>): TargetOptions {
  const isService = row.type === 'service' || (row.type === null && isPassiveTarget(row.target));
  return {
    kind: isService ? 'service' : 'controller',
    ...(row.inactivity_probe === null ? {} : { probeIntervalMs: row.inactivity_probe }),
    ...(row.max_backoff === null ? {} : { maxBackoffMs: row.max_backoff }),
    ...(row.controller_rate_limit === null ? {} : { rateLimit: row.controller_rate_limit }),
    ...(row.controller_burst_limit === null ? {} : { burstLimit: row.controller_burst_limit }),
    ...(row.controller_queue_size === null ? {} : { queueSize: row.controller_queue_size }),
    ...(row.enable_async_messages === null ? {} : { enableAsyncMessages: row.enable_async_messages }),
    ...(row.connection_mode === null ? {} : { connectionMode: row.connection_mode }),
  };
}

function isPassiveTarget(text: string): boolean {
  try {
    return ['punix', 'ptcp', 'pssl'].includes(parseTarget(text).kind);
  } catch {
    return false; // `setTargets` says what is wrong
  }
}
