import { WallClock } from '../../src/datapath/index.ts';
import { Bridge, Controllers } from '../../src/ofproto/index.ts';
import { SliceMeter } from './slices.ts';

/*
 * A bridge in a process of its own, as the daemon has one, on the management socket that the command line names. Its parent
 * says 'start' and 'stop', and hears how long the thread was held at most in between.
 */

const clock = new WallClock();
const bridge = new Bridge({ name: 'br0', clock });
for (const port of [1, 2]) bridge.addPort(port, { name: `p${port}`, send: () => true });
const description = { manufacturer: 'Oko', hardware: 'bench', software: '0', serial: 'None', datapath: 'br0' };
const controllers = new Controllers({ bridge, clock, datapathId: 1n, failMode: 'secure', description });
await controllers.add(`punix:${process.argv[2]}`);
const meter = new SliceMeter();
process.on('message', (order) => {
  if (order === 'start') {
    meter.start();
    process.send?.({ started: true });
  } else {
    process.send?.({ longestMs: meter.stop() });
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
