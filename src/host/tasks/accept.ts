import { and, eq, isNull } from 'drizzle-orm';
import { ProblemError } from '../../protocol/problem.ts';
import type { StoredTaskSpec, TaskSpec } from '../../protocol/task-spec.ts';
import { parseTarget, type Target } from '../../protocol/target.ts';
import type { HostConfig } from '../config.ts';
import type { Queryable } from '../store/database.ts';
import { nodes } from '../store/schema.ts';
import { findNodeId } from './queries.ts';

interface Where {
  config: Pick<HostConfig, 'defaultImage' | 'defaultLeaseMs'>;
  /** JSON pointer of the spec in the body. */
  pointer: string;
}

/**
 * Fills in what the operator's defaults and the cluster say.
 * @throws ProblemError `invalid_field` at the field that cannot be honoured
 */
export async function acceptSpec(tx: Queryable, spec: TaskSpec, where: Where): Promise<StoredTaskSpec> {
  const image = imageOf(spec, where);
  const placed = spec.placement.target === undefined ? spec : await resolveTarget(tx, spec, where);
  await checkNode(tx, placed, where);
  checkPowers(placed, where);
  const lease =
    placed.onNodeLoss === 'requeue' ? { nodeLossLease: placed.nodeLossLease ?? where.config.defaultLeaseMs } : {};
  return { ...placed, image, ...lease };
}

interface Refusal {
  field: string;
  message: string;
  fix: string;
}

function refuse({ pointer: base }: Where, { field, message, fix }: Refusal): ProblemError {
  const pointer = `${base}${field}`;
  return new ProblemError('invalid_field', `field ${pointer}: ${message}`, { fix, errors: [{ pointer, message }] });
}

function imageOf({ image }: TaskSpec, where: Where): string {
  if (image?.startsWith('env:')) {
    throw refuse(where, {
      field: '/image',
      message: `there is no environment "${image.slice(4)}"`,
      fix: 'name an image; environments come in a later release',
    });
  }
  const chosen = image ?? where.config.defaultImage;
  if (chosen !== null) return chosen;
  throw refuse(where, {
    field: '/image',
    message: 'is missing, and the operator has set no default',
    fix: 'name an image, or set tasks.defaultImage at the Host',
  });
}

/** `node[:numa][::gpus]`: indexes become UUIDs now, so that they mean what they meant when it was written. */
async function resolveTarget(tx: Queryable, spec: TaskSpec, where: Where): Promise<TaskSpec> {
  const short = parseTarget(spec.placement.target ?? '');
  if (short === null)
    throw refuse(where, { field: '/placement/target', message: 'is not a place', fix: 'write "node[:numa][::gpus]"' });
  const uuids = short.gpuIndexes === null ? null : await gpuUuids(tx, short, where);
  if (uuids !== null && spec.resources.gpus !== null) {
    throw refuse(where, {
      field: '/placement/target',
      message: 'names GPUs, and resources.gpus asks for some too',
      fix: 'give one of the two',
    });
  }
  return {
    ...spec,
    placement: { ...spec.placement, node: short.node },
    resources: {
      ...spec.resources,
      ...(uuids === null ? {} : { gpus: { uuids } }),
      ...(short.numaNode === null ? {} : { numaNode: short.numaNode }),
    },
  };
}

async function gpuUuids(tx: Queryable, { node, gpuIndexes }: Target, where: Where): Promise<string[]> {
  const id = await findNodeId(tx, node);
  if (id === null)
    throw refuse(where, {
      field: '/placement/target',
      message: `there is no node "${node}"`,
      fix: 'see `weir node list`',
    });
  const rows = await tx
    .select({ capacity: nodes.capacity })
    .from(nodes)
    .where(and(eq(nodes.id, id), isNull(nodes.removedMs)));
  const present = rows[0]?.capacity?.hardware.gpus ?? [];
  return (gpuIndexes ?? []).map((index) => {
    const gpu = present.find((one) => one.index === index);
    if (gpu) return gpu.uuid;
    const has = present.length === 0 ? 'no GPUs' : `GPUs ${present.map((one) => one.index).join(', ')}`;
    throw refuse(where, {
      field: '/placement/target',
      message: `${node} has no GPU ${index}; it has ${has}`,
      fix: 'see `weir node show`',
    });
  });
}

async function checkNode(tx: Queryable, { placement: { node } }: TaskSpec, where: Where): Promise<void> {
  if (node === null || (await findNodeId(tx, node)) !== null) return;
  throw refuse(where, { field: '/placement/node', message: `there is no node "${node}"`, fix: 'see `weir node list`' });
}

function checkPowers({ privileged, capabilities, devices }: TaskSpec, where: Where): void {
  if (privileged !== true || (capabilities?.length ?? 0) + (devices?.length ?? 0) === 0) return;
  throw refuse(where, {
    field: '/privileged',
    message: 'gives all capabilities and devices already',
    fix: 'leave out "capabilities" and "devices"',
  });
}
