export type { RejectionCode } from './refusal.ts';
export { formatRejection, type PathStep, type Rejection, type SourcePlace } from './rejection.ts';
export { DEFAULT_LIMIT, type VerifierResult, type VerifierSummary, type VerifyOptions, verify } from './verify.ts';
