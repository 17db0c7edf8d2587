/** The token of an `Authorization: Bearer` header (RFC 6750; the scheme in any case, RFC 9110 §11.1); `null` when it has none. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer +([\w.-]{1,4096})$/i.exec(header ?? '')?.[1] ?? null;
}
