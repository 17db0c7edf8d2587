import * as v from 'valibot';
import { lenient, wholeNumber } from './schema.ts';

const shortText = v.pipe(v.string(), v.maxLength(255));

export const gpuReportSchema = lenient({
  uuid: shortText,
  index: wholeNumber,
  model: shortText,
  memoryBytes: wholeNumber,
  numaNode: v.nullable(wholeNumber),
});
export type GpuReport = v.InferOutput<typeof gpuReportSchema>;

export const numaReportSchema = lenient({ node: wholeNumber, cpus: v.array(wholeNumber), memoryBytes: wholeNumber });
export type NumaReport = v.InferOutput<typeof numaReportSchema>;

/** What a machine has. Sent at the first sync and when it changes. */
export const hardwareSchema = lenient({
  hostname: shortText,
  kernel: shortText,
  architecture: shortText,
  cpuModel: v.nullable(shortText),
  cpuMilli: wholeNumber,
  memoryBytes: wholeNumber,
  numa: v.pipe(v.array(numaReportSchema), v.maxLength(64)),
  gpus: v.pipe(v.array(gpuReportSchema), v.maxLength(64)),
  engine: v.nullable(
    lenient({ name: shortText, version: shortText, cgroup: v.picklist(['v1', 'v2']), storageDriver: shortText }),
  ),
});
export type Hardware = v.InferOutput<typeof hardwareSchema>;

/** How busy it is now; sent now and then, never stored in the state's transactions. */
export const loadSchema = lenient({
  load1: v.pipe(v.number(), v.minValue(0)),
  memoryAvailableBytes: wholeNumber,
  diskFreeBytes: wholeNumber,
  loopLagMs: v.pipe(v.number(), v.minValue(0)),
});
export type Load = v.InferOutput<typeof loadSchema>;

export const capacitySchema = lenient({
  version: shortText,
  machineId: shortText,
  bootId: shortText,
  hardware: hardwareSchema,
  load: v.optional(loadSchema),
});
export type CapacityReport = v.InferOutput<typeof capacitySchema>;
