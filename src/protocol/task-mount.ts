import * as v from 'valibot';
import { strict, text } from './schema.ts';

const inContainer = v.pipe(
  text(4096),
  v.regex(/^\/(?!.*(?:^|\/)\.\.?(?:\/|$)).+$/, 'must be an absolute path without "." or ".."'),
  v.check((path) => !/^\/(?:proc|sys|dev)(?:\/|$)/.test(path), 'not below /proc, /sys or /dev'),
);
const below = v.pipe(
  text(4096),
  v.regex(/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$)).+$/, 'must be a relative path without "." or ".."'),
);

/** A folder of the node, by the name that its operator gave it. */
export const taskMount = strict({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be the name of a mount in the node's list"),
  ),
  /** Where it is seen in the container. */
  path: inContainer,
  /** A folder in it, opened without following links. */
  subPath: v.optional(below),
  readOnly: v.optional(v.boolean(), false),
});
export type TaskMount = v.InferOutput<typeof taskMount>;

export const taskMounts = v.pipe(
  v.array(taskMount),
  v.maxLength(32, 'at most 32 mounts'),
  v.check((all) => new Set(all.map(({ path }) => path)).size === all.length, 'two mounts have one path'),
);

const capability = v.pipe(
  v.string(),
  v.regex(/^[A-Z][A-Z_]{1,40}$/, 'must be a capability such as "SYS_PTRACE", without CAP_'),
);
export const taskCapabilities = v.pipe(v.array(capability), v.maxLength(40));

const device = v.pipe(
  text(255),
  v.regex(/^\/dev\/(?!.*\.\.)[A-Za-z0-9._/-]+$/, 'must be a device such as "/dev/fuse"'),
);
export const taskDevices = v.pipe(v.array(device), v.maxLength(32));
