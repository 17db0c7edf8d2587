/** A reference as the engine reads it: `debian` is `docker.io/library/debian:latest`. */
export interface ImageReference {
  registry: string;
  /** Repository within the registry, such as `library/debian`. */
  repository: string;
  /** Tag, or `sha256:…` where a digest is named. */
  version: string;
  /** As the engine writes it in its list of names: without the default registry and `library/`. */
  familiar: string;
}

export function parseImageReference(text: string): ImageReference {
  const [path = '', digest] = text.split('@');
  const colon = path.lastIndexOf(':');
  const tagged = colon > path.lastIndexOf('/');
  const name = tagged ? path.slice(0, colon) : path;
  const tag = tagged ? path.slice(colon + 1) : 'latest';
  const first = name.slice(0, Math.max(0, name.indexOf('/')));
  const hosted = first === 'localhost' || /[.:]/.test(first);
  const registry = hosted ? first : 'docker.io';
  const rest = hosted ? name.slice(first.length + 1) : name;
  const repository = registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest;
  const familiarName = registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`;
  return { registry, repository, version: digest ?? tag, familiar: familiarName };
}

/** An IPv4 or IPv6 literal, with or without a port: a registry is named, never addressed. */
export function isAddressLiteral(registry: string): boolean {
  return /^\d+(?:\.\d+){3}(?::\d+)?$/.test(registry) || registry.startsWith('[');
}

export type ImageSource = { kind: 'local' } | { kind: 'registry' } | { kind: 'refused'; message: string };

/** Where an image may come from, by the node's own lists. */
export function sourceOf(
  image: string,
  allowed: { localPrefixes: readonly string[]; registries: readonly string[] },
): ImageSource {
  const reference = parseImageReference(image);
  if (allowed.localPrefixes.some((prefix) => reference.familiar.startsWith(prefix))) return { kind: 'local' };
  if (isAddressLiteral(reference.registry)) {
    return { kind: 'refused', message: `"${image}": a registry is named, not given as an address` };
  }
  if (allowed.registries.includes(reference.registry)) return { kind: 'registry' };
  const list = allowed.registries.length === 0 ? 'none' : allowed.registries.join(', ');
  return {
    kind: 'refused',
    message: `"${image}" is of the registry ${reference.registry}, which this node does not use (it uses ${list})`,
  };
}
