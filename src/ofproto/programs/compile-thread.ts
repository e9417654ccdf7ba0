import { parentPort } from 'node:worker_threads';
import { compileProgram, EbpfMemory, EbpfThread, EpochClock, type Program } from '../../bpf/index.ts';
import { ExtensionError } from '../../openflow/index.ts';
import type { CompileAnswer, CompileRequest } from './compile-messages.ts';
import { inspectObject, mapAt, readable } from './compiler.ts';

// Reads, verifies and compiles programs for `CompileWorker`, and makes their maps, so that nobody waits for it.

const waiting = new Map<number, Program>();
let nextJob = 1;

type Asked = Exclude<CompileRequest, { readonly type: 'discard' }>;

function inspect({ id, object, choice }: Extract<Asked, { readonly type: 'inspect' }>): CompileAnswer {
  const { program, verifier } = inspectObject(object, choice);
  const job = nextJob++;
  waiting.set(job, program);
  const { maps, section = '', name } = program;
  return { id, inspected: { job, section, function: name, maps, verifier } };
}

function build(request: Extract<Asked, { readonly type: 'build' }>): CompileAnswer {
  const program = waiting.get(request.job);
  if (program === undefined) throw new RangeError(`no program waits as job ${request.job}`);
  waiting.delete(request.job);
  const memory = EbpfMemory.attach(request);
  const clock = EpochClock.attach(memory, request.clockAddress);
  const thread = EbpfThread.attach(memory, request.threadAddress);
  const maps = request.places.map((place) => mapAt({ memory, clock }, place));
  const bytes = readable(() =>
    compileProgram(program, { memory, clock, thread, maps }, { ordered: process.arch === 'x64' }),
  );
  return { id: request.id, module: new WebAssembly.Module(bytes) };
}

parentPort?.on('message', (request: CompileRequest) => {
  if (request.type === 'discard') {
    waiting.delete(request.job);
    return;
  }
  let answer: CompileAnswer;
  try {
    answer = request.type === 'inspect' ? inspect(request) : build(request);
  } catch (error) {
    // Anything else is a defect, which ends the thread and is reported there.
    if (!(error instanceof ExtensionError)) throw error;
    answer = { id: request.id, refused: { code: error.code, message: error.message } };
  }
  parentPort?.postMessage(answer);
});
