import { boolean, integer, one, oneOf, optional, type SchemaDefinition, string, uuid } from './definition.ts';

/** The database in which a server tells of its databases: ovsdb-server(5). */
export const serverSchema = {
  name: '_Server',
  version: '1.2.0',
  cksum: '3009684573 744',
  tables: {
    Database: {
      columns: {
        name: one(string),
        model: one(oneOf('clustered', 'relay', 'standalone')),
        connected: one(boolean),
        leader: one(boolean),
        schema: optional(string),
        sid: optional(uuid),
        cid: optional(uuid),
        index: optional(integer()),
      },
    },
  },
} as const satisfies SchemaDefinition;
