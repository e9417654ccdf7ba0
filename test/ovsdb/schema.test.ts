import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileSchema } from '../../src/ovsdb/schema/compile.ts';
import { openVswitch } from '../../src/ovsdb/schema/open-vswitch.ts';
import { parseSchema, printSchema } from '../../src/ovsdb/schema/schema-json.ts';
import { serverSchema } from '../../src/ovsdb/schema/server.ts';
import { DebianServer, hasOvsdbServer, ovsdbTool, temporaryDirectory } from './debian-server.ts';

const SCHEMA_FILE = '/usr/share/openvswitch/vswitch.ovsschema';

describe.skipIf(!hasOvsdbServer)('schemas, beside those of ovsdb-server (needs openvswitch-common)', () => {
  const directory = hasOvsdbServer ? temporaryDirectory() : { path: '', remove: () => undefined };
  let server: DebianServer;

  beforeAll(async () => {
    const file = join(directory.path, 'conf.db');
    ovsdbTool('create', file, SCHEMA_FILE);
    server = await new DebianServer(directory.path, [file]).started();
  });

  afterAll(async () => {
    await server.stop();
    directory.remove();
  });

  it.each([openVswitch, serverSchema])('$name is what get-schema answers', (definition) => {
    const theirs: unknown = JSON.parse(
      execFileSync('ovsdb-client', ['get-schema', `unix:${server.socketPath}`, definition.name], { encoding: 'utf8' }),
    );
    const ours = compileSchema(definition);
    expect(sortSets(printSchema(ours))).toEqual(sortSets(theirs));
    expect(printSchema(compileSchema(parseSchema(theirs as never)))).toEqual(printSchema(ours));
  });
});

/** Without "isRoot" where every table has it: ovsdb-server leaves it out then. */
function sortSets(schema: unknown): unknown {
  const copy = structuredClone(schema) as { tables: Record<string, { isRoot?: boolean }> };
  const tables = Object.values(copy.tables);
  if (tables.every((table) => table.isRoot)) for (const table of tables) delete table.isRoot;
  return copy;
}
