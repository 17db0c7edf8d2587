import * as v from 'valibot';
import { lenient } from './schema.ts';

/** Every error code there is, and the HTTP status it travels under. Closed: clients may switch on it. */
export const problemStatus = {
  bad_json: 400,
  unknown_field: 400,
  unauthenticated: 401,
  token_expired: 401,
  token_revoked: 401,
  replayed: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  state_conflict: 409,
  idempotency_mismatch: 409,
  gone: 410,
  precondition_failed: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  wrong_host: 421,
  invalid_field: 422,
  version_unsupported: 422,
  protocol_unsupported: 422,
  join_token_invalid: 401,
  image_not_found: 422,
  impossible: 422,
  quota_exceeded: 403,
  precondition_required: 428,
  rate_limited: 429,
  internal: 500,
  node_unreachable: 503,
  overloaded: 503,
  disk_pressure: 507,
} as const satisfies Record<string, number>;

export type ProblemCode = keyof typeof problemStatus;

const codes = Object.keys(problemStatus) as [ProblemCode, ...ProblemCode[]];

export const problemTitle: Readonly<Record<ProblemCode, string>> = {
  bad_json: 'The body is not JSON',
  unknown_field: 'A field is not known',
  unauthenticated: 'A credential is needed',
  token_expired: 'The credential has expired',
  token_revoked: 'The credential was revoked',
  replayed: 'The request was made before',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  method_not_allowed: 'The method is not offered here',
  state_conflict: 'The state does not allow it',
  idempotency_mismatch: 'The key was used for another request',
  gone: 'No longer there',
  precondition_failed: 'It has changed meanwhile',
  body_too_large: 'The body is too large',
  unsupported_media_type: 'The content type is not read here',
  wrong_host: 'The Host header is not ours',
  invalid_field: 'A value is not valid',
  version_unsupported: 'The API version is not offered',
  protocol_unsupported: 'The protocol version is not spoken',
  join_token_invalid: 'The join token cannot be used',
  image_not_found: 'The image was not found',
  impossible: 'No node can ever run it',
  quota_exceeded: 'The quota is used up',
  precondition_required: 'A precondition is needed',
  rate_limited: 'Too many requests',
  internal: 'Something went wrong in Weir',
  node_unreachable: 'The node cannot be reached',
  overloaded: 'Too much to do',
  disk_pressure: 'The disk is nearly full',
};

/** One fault in a body or a query: a JSON pointer (RFC 6901) and what is wrong there. */
export interface FieldError {
  pointer: string;
  message: string;
}

/** RFC 9457, with our closed `code`. */
export const problemSchema = lenient({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  code: v.picklist(codes),
  detail: v.string(),
  fix: v.optional(v.string()),
  requestId: v.string(),
  errors: v.optional(v.array(lenient({ pointer: v.string(), message: v.string() }))),
});

export type Problem = v.InferOutput<typeof problemSchema>;

interface ProblemDetails {
  /** What would change it, as an instruction. */
  fix?: string;
  errors?: readonly FieldError[];
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** The one error that means "no" to a caller. The HTTP status follows from the code. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, detail: string, details: ProblemDetails = {}) {
    super(detail, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  get status(): (typeof problemStatus)[ProblemCode] {
    return problemStatus[this.code];
  }

  /** The answer's body. `requestId` is the one that the logs carry. */
  toProblem(requestId: string): Problem {
    const { fix, errors } = this.details;
    return {
      type: `urn:weir:error:${this.code}`,
      title: problemTitle[this.code],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(fix === undefined ? {} : { fix }),
      requestId,
      ...(errors === undefined ? {} : { errors: [...errors] }),
    };
  }
}
