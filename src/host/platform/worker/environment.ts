import * as v from 'valibot';

const text = v.pipe(v.string(), v.minLength(1));

const environmentSchema = v.object({
  WEIR_HOST_DATABASE_URL: text,
  WEIR_HOST_DATABASE_TOKEN: v.optional(text),
  /** PKCS#8 in PEM or bare base64: `DIR/host/keys/signing.pem` of the other Hosts. */
  WEIR_SIGNING_KEY: text,
  /** Separated by commas. */
  WEIR_HOST_NAMES: v.optional(v.string(), ''),
});

export interface Environment {
  databaseUrl: string;
  databaseToken: string | undefined;
  signingKey: string;
  hostNames: readonly string[];
}

/** @throws Error naming the variable that is missing */
export function readEnvironment(given: unknown): Environment {
  const parsed = v.safeParse(environmentSchema, given);
  if (!parsed.success) {
    const names = parsed.issues.map((issue) => v.getDotPath(issue) ?? '').join(', ');
    throw new Error(`the worker lacks ${names}: set it in wrangler.toml or as a secret`);
  }
  const { output } = parsed;
  return {
    databaseUrl: output.WEIR_HOST_DATABASE_URL,
    databaseToken: output.WEIR_HOST_DATABASE_TOKEN,
    signingKey: output.WEIR_SIGNING_KEY,
    hostNames: output.WEIR_HOST_NAMES.split(',').filter((name) => name !== ''),
  };
}
