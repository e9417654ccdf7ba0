import { encodeMessage, type MessageBody } from '../../openflow/index.ts';
import type { OfctlSession } from './session.ts';

const ATOMIC_ORDERED = 3;
const BUNDLE_ID = 0;

/** Carries messages out all together or not at all (OpenFlow 1.4, section 6.8; in 1.3 the ONF's extension). */
export async function performInBundle({ client }: OfctlSession, messages: readonly MessageBody[]): Promise<void> {
  const control = (step: 'open' | 'commit'): MessageBody => ({
    type: 'bundle_control',
    bundleId: BUNDLE_ID,
    control: `${step}_request`,
    flags: ATOMIC_ORDERED,
  });
  await client.request(control('open'));
  await client.perform(messages.map((message) => (xid: number) => addition(message, xid)));
  await client.request(control('commit'));

  function addition(body: MessageBody, xid: number): MessageBody {
    const [message] = encodeMessage({ ...body, xid }, client.dialect);
    return { type: 'bundle_add', bundleId: BUNDLE_ID, flags: ATOMIC_ORDERED, message };
  }
}
