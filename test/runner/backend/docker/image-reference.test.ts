import { describe, expect, it } from 'vitest';
import { parseImageReference, sourceOf } from '../../../../src/runner/backend/docker/image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('an image reference', () => {
  it.each([
    ['debian', 'docker.io', 'library/debian', 'latest', 'debian'],
    ['debian:12', 'docker.io', 'library/debian', '12', 'debian'],
    ['docker.io/debian', 'docker.io', 'library/debian', 'latest', 'debian'],
    ['team/tool:1', 'docker.io', 'team/tool', '1', 'team/tool'],
    ['ghcr.io/team/tool:1', 'ghcr.io', 'team/tool', '1', 'ghcr.io/team/tool'],
    ['localhost:5000/x', 'localhost:5000', 'x', 'latest', 'localhost:5000/x'],
    [`debian@${digest}`, 'docker.io', 'library/debian', digest, 'debian'],
    [`debian:12@${digest}`, 'docker.io', 'library/debian', digest, 'debian'],
  ])('%s is read as the engine reads it', (text, ...parts) => {
    const [registry, repository, version, familiar] = parts;
    expect(parseImageReference(text)).toEqual({ registry, repository, version, familiar });
  });

  it.each([
    ['weir/demo:1', 'local'],
    ['docker.io/weir/demo:1', 'local'],
    ['debian:12', 'registry'],
    ['ghcr.io/weir/demo:1', 'registry'],
    ['weirdo/demo:1', 'registry'],
    ['quay.io/weir/demo:1', 'refused'],
    ['10.0.0.1:5000/x', 'refused'],
    ['10.0.0.1/x', 'refused'],
    ['localhost:5000/x', 'refused'],
    ['evil.example/weir/x', 'refused'],
  ])('%s is %s', (image, kind) => {
    const registries = ['docker.io', 'ghcr.io', '10.0.0.1:5000', '10.0.0.1'];
    expect(sourceOf(image, { localPrefixes: ['weir/'], registries }).kind).toBe(kind);
  });
});
