import type { BpfMap, MapEntry } from '../../bpf/index.ts';
import {
  decodeOko,
  ExtensionError,
  encodeMessage,
  encodeOko,
  formatRuleMatch,
  type OkoBody,
  type OkoMessage,
  type ProgramDescription,
  type ProgramLoad,
  type ProgramUnload,
  ProtocolError,
} from '../../openflow/index.ts';
import { ContentsWriter } from '../programs/contents.ts';
import { describeProgram } from '../programs/describe.ts';
import { clearMap, deleteKeys, lookupKeys, mapContents, updateMap } from '../programs/map-access.ts';
import { type LoadResult, MAX_OBJECT_BYTES } from '../programs/program.ts';
import type { Answer } from './requests.ts';
import type { Session } from './session.ts';
import type { SwitchControl } from './switch-control.ts';

/** Requests that a secondary controller may not send. */
const CHANGES: readonly OkoBody['kind'][] = ['prog_load', 'prog_unload', 'map_update', 'map_delete'];

/** Of this protocol; docs/oko-protocol.md says what each brought. */
const REVISION = 1;
/** Flows that a refusal names. */
const NAMED_FLOWS = 5;
/** Bytes of descriptions in one message. */
const DESCRIPTION_BYTES = 32_000;

type Request = OkoMessage & { readonly xid: number };

/**
 * Carries out a request of Oko's extension.
 *
 * @throws ExtensionError, ProtocolError: the error to answer with
 */
export function* answerOko(control: SwitchControl, session: Session, message: Request): Answer {
  session.isExtended = true;
  const request = decodeOko(message);
  if (request.kind === 'features_request') session.oko = true;
  if (session.role === 'secondary' && CHANGES.includes(request.kind))
    throw new ProtocolError('OFPBRC_IS_SECONDARY', `a secondary controller cannot send ${request.kind}`);
  for (const part of carryOut(control, session, request, message.xid)) {
    if (part === undefined || part instanceof Promise) yield part;
    else yield* encodeMessage({ ...encodeOko(part), xid: message.xid }, session.dialect);
  }
}

type Parts = Generator<OkoBody | undefined | Promise<void>>;

function* carryOut(control: SwitchControl, session: Session, body: OkoBody, xid: number): Parts {
  const { bridge } = control;
  const { programs } = bridge;
  const request = body;
  switch (request.kind) {
    case 'features_request':
      yield {
        kind: 'features_reply',
        revision: REVISION,
        programs: programs.list().length,
        maxPrograms: programs.maxPrograms,
        maxObjectBytes: MAX_OBJECT_BYTES,
        mapBytes: BigInt(programs.mapBytes),
        maxMapBytes: BigInt(programs.maxMapBytes),
      };
      return;
    case 'prog_load':
      yield* load(control, session, request, xid);
      return;
    case 'prog_unload':
      unload(control, request);
      return;
    case 'prog_desc_request':
      yield* describe(control, request.program);
      return;
    case 'map_update': {
      const map = programs.map(request.program, request.map);
      updateMap(programs, map, request, request.mode);
      return;
    }
    case 'map_delete': {
      const map = programs.map(request.program, request.map);
      if (!request.all) deleteKeys(map, request);
      else if (request.count > 0) throw new ExtensionError('OKO_BAD_REQUEST', 'all keys are to be deleted, and some');
      else yield* clearMap(programs, map);
      return;
    }
    case 'map_lookup': {
      const map = programs.map(request.program, request.map);
      const entries = lookupKeys(map, request);
      yield* entryParts(control, request.program, map, 'lookup', [entries]);
      return;
    }
    case 'map_dump': {
      const map = programs.map(request.program, request.map);
      yield* entryParts(control, request.program, map, 'dump', mapContents(programs, map));
      return;
    }
    case 'map_subscribe':
      session.feed?.subscribe(request, xid);
      return;
    default:
      throw new ExtensionError('OKO_BAD_REQUEST', `a switch does not take ${body.kind}`);
  }
}

/** Takes a part of an object; with the last one the program is loaded, while others have their turn. */
function* load({ bridge, clock }: SwitchControl, session: Session, part: ProgramLoad, xid: number): Parts {
  const uploaded = session.uploads.add(xid, part);
  if (uploaded === undefined) return;
  const { load: first, object } = uploaded;
  let result: LoadResult | undefined;
  const { section, function: func } = first;
  const choice = { ...(section === '' ? {} : { section }), ...(func === '' ? {} : { function: func }) };
  const { program: id, name, replace, keepMaps, verifyOnly } = first;
  yield bridge.programs
    .loadObject({ id, name, object, choice, replace, keepMaps, verifyOnly }, clock)
    .then((loaded) => {
      result = loaded;
    });
  if (result === undefined) return;
  const { program, replaced, keptMaps } = result;
  const description = describeProgram(program, bridge.programUse.count(id));
  yield { kind: 'prog_load_reply', verifyOnly, replaced, keptMaps, description };
}

function unload({ bridge }: SwitchControl, { program: id, force }: ProgramUnload): void {
  const { name } = bridge.programs.get(id);
  const flows = bridge.programUse.count(id);
  if (flows > 0 && !force) {
    const named: string[] = [];
    for (const { table, priority, match } of bridge.programUse.rules(id)) {
      if (named.length === NAMED_FLOWS) break;
      named.push(`table=${table},${formatRuleMatch(priority, match)}`);
    }
    const more = flows > named.length ? `, and ${flows - named.length} more` : '';
    throw new ExtensionError(
      'OKO_IN_USE',
      `filter program ${id} (${name}) is used by ${flows} flow${flows === 1 ? '' : 's'}: ${named.join('; ')}${more}`,
    );
  }
  bridge.programs.unload(id);
}

function* describe({ bridge }: SwitchControl, id: number): Parts {
  const { programs, programUse } = bridge;
  const listed = id === 0 ? programs.list() : [programs.get(id)];
  let part: ProgramDescription[] = [];
  let bytes = 0;
  for (const program of listed) {
    const description = describeProgram(program, programUse.count(program.id));
    const size = encodeOko({ kind: 'prog_desc_reply', more: false, programs: [description] }).body.length;
    if (bytes > 0 && bytes + size > DESCRIPTION_BYTES) {
      yield { kind: 'prog_desc_reply', more: true, programs: part };
      part = [];
      bytes = 0;
    }
    part.push(description);
    bytes += size;
  }
  yield { kind: 'prog_desc_reply', more: false, programs: part };
}

/** Messages with entries, between which others have their turn. */
function* entryParts(
  { bridge }: SwitchControl,
  program: number,
  map: BpfMap,
  reason: 'dump' | 'lookup',
  steps: Iterable<readonly MapEntry[]>,
): Parts {
  const number = bridge.programs.get(program).maps.indexOf(map);
  const writer = new ContentsWriter(map, { program, map: number, reason, subscription: 0 });
  for (const entries of steps) {
    for (const entry of entries) {
      const full = writer.add(entry);
      if (full !== undefined) yield full;
    }
    yield undefined;
  }
  yield writer.finish();
}
