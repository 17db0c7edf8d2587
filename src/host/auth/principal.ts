import type { CredentialId } from '../../protocol/ids.ts';
import type { Scope } from '../../protocol/credential.ts';

/** Who makes a request, as proved by its credential. */
export interface Principal {
  /** Name of the user or service account. */
  subject: string;
  credential: CredentialId;
  scopes: readonly Scope[];
}
