import { compileSchema, DatabaseFile, loadFcntlLock, OvsdbServer, openVswitch } from '../../src/ovsdb/index.ts';

// The server that the bench measures, in a process of its own as its peer is: serve.js FILE REMOTE
const [path = '', remote = ''] = process.argv.slice(2);
const file = DatabaseFile.open(path, { schema: compileSchema(openVswitch), lock: await loadFcntlLock() });
const server = new OvsdbServer({ databases: [file.database] });
await server.addRemote(remote);
process.send?.('ready');
