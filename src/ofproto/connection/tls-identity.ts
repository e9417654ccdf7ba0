import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

/** What the switch shows and asks for on ssl: and pssl: connections (ovs-vswitchd.conf.db(5), table SSL). PEM all through. */
export interface TlsIdentity {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
  /** The authority that must have signed a peer's certificate. Left out: nobody is let in, but see `learnCa`. */
  readonly ca?: string | Uint8Array;
  /**
   * Where there is no `ca` yet: takes the certificate of the first controller's authority, in PEM, to keep it and set the
   * identity anew with it. That connection ends; the next has to be signed by it.
   */
  readonly learnCa?: (pem: string) => void;
}

/**
 * What `node:tls` makes of an identity.
 *
 * @throws Error that says what is wrong with it
 */
export function secureContext({ key, cert, ca }: TlsIdentity): SecureContext {
  try {
    return createSecureContext({ key: pem(key), cert: pem(cert), ...(ca === undefined ? {} : { ca: pem(ca) }) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the key or a certificate cannot be used: ${why}`, { cause: error });
  }
}

function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === 'string' ? text : Buffer.from(text);
}

/** The root of a peer's chain, if the peer has sent it along; it counts only when it has signed itself. */
export function rootOfChain(socket: TLSSocket): string | undefined {
  let certificate = socket.getPeerCertificate(true);
  const seen = new Set<string>();
  while (certificate?.raw !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256);
    if (certificate.issuerCertificate?.raw === undefined) break;
    certificate = certificate.issuerCertificate;
  }
  if (certificate?.raw === undefined) return undefined;
  const root = new X509Certificate(certificate.raw);
  return root.ca && root.checkIssued(root) && root.verify(root.publicKey) ? root.toString() : undefined;
}
