export interface Environment {
  databaseUrl: string;
  databaseToken: string | undefined;
  /** PKCS#8 in PEM or bare base64: `DIR/host/keys/signing.pem` of the other Hosts. */
  signingKey: string;
  hostNames: readonly string[];
}

/**
 * What a worker is told by its variables and secrets; names are separated by commas.
 * @throws Error naming the variable that is missing
 */
export function readEnvironment(given: object): Environment {
  return {
    databaseUrl: needed(given, 'WEIR_HOST_DATABASE_URL'),
    databaseToken: textOf(given, 'WEIR_HOST_DATABASE_TOKEN'),
    signingKey: needed(given, 'WEIR_SIGNING_KEY'),
    hostNames: textOf(given, 'WEIR_HOST_NAMES')?.split(',') ?? [],
  };
}

function needed(given: object, name: string): string {
  const text = textOf(given, name);
  if (text === undefined) throw new Error(`the worker lacks ${name}: set it in wrangler.toml or as a secret`);
  return text;
}

function textOf(given: object, name: string): string | undefined {
  const value: unknown = Reflect.get(given, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
