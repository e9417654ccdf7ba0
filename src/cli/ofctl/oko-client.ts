import { decodeOko, encodeOko, type OkoBody, type OkoMessage, type OkoReply } from '../../openflow/index.ts';
import { CliError } from '../errors.ts';
import type { OpenflowClient } from './client.ts';

/** Sends requests of Oko's extension that have no answer, and learns with a barrier whether they were refused. */
export async function performOko(client: OpenflowClient, body: OkoBody): Promise<void> {
  await client.perform([encodeOko(body)]);
}

/** Sends a request and yields its answer, part by part. @throws ExtensionError as the switch explains it */
export async function* requestOko<K extends OkoReply['kind']>(
  client: OpenflowClient,
  request: OkoBody | Iterable<OkoMessage>,
  kind: K,
): AsyncGenerator<Extract<OkoReply, { readonly kind: K }>> {
  const messages = 'kind' in request ? [encodeOko(request)] : request;
  const xid = client.sendAll(messages);
  for (let isLast = false; !isLast; ) {
    const message = await client.receive();
    if (message.xid !== xid) continue;
    if (message.type === 'error') throw client.refusal(message);
    const reply = message.type === 'oko' ? decodeOko(message) : undefined;
    if (reply?.kind !== kind)
      throw new CliError('CLI_SWITCH_REFUSED', `the switch answered ${reply?.kind ?? message.type}, not ${kind}`);
    yield reply as Extract<OkoReply, { readonly kind: K }>;
    isLast = !('more' in reply && reply.more);
  }
}
