import * as v from 'valibot';
import { taskId } from './ids.ts';
import { lenient, wholeNumber } from './schema.ts';

const shortText = v.pipe(v.string(), v.maxLength(255));

/** How two GPUs of a machine reach each other, nearest first, in the words of the driver's tool. */
export const gpuLinkKinds = ['nvlink', 'pix', 'pxb', 'phb', 'node', 'sys'] as const;

const gpuLinkSchema = lenient({
  uuid: shortText,
  kind: v.picklist(gpuLinkKinds),
  /** NVLinks that are bonded; 0 where it goes over PCIe. */
  lanes: wholeNumber,
});
export type GpuLink = v.InferOutput<typeof gpuLinkSchema>;

/** A GPU that work can hold: a whole card, or one MIG instance of a card that is split, never both. */
export const gpuReportSchema = lenient({
  uuid: shortText,
  /** Of the card, as the driver's tool counts; instances of one card share it. */
  index: wholeNumber,
  model: shortText,
  /** 0 where it is the CPU's, or unknown. */
  memoryBytes: wholeNumber,
  numaNode: v.nullable(wholeNumber),
  /** As sysfs spells it: `0000:3b:00.0`. */
  pciBusId: v.optional(v.nullable(shortText)),
  /** `device` counts the instances of the card. */
  mig: v.optional(v.nullable(lenient({ parent: shortText, profile: shortText, device: wholeNumber }))),
  /** To the other whole cards; instances have none. */
  links: v.optional(v.pipe(v.array(gpuLinkSchema), v.maxLength(127))),
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
  gpus: v.pipe(v.array(gpuReportSchema), v.maxLength(128)),
  /** What its file allows and it has beyond the common: `mount:data`, `mount:data:rw`, `privileged`, `device:/dev/fuse`. */
  offers: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.maxLength(1024))),
  engine: v.nullable(
    lenient({ name: shortText, version: shortText, cgroup: v.picklist(['v1', 'v2']), storageDriver: shortText }),
  ),
});
export type Hardware = v.InferOutput<typeof hardwareSchema>;

const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const celsius = v.pipe(v.number(), v.finite());

/** How busy one GPU is; `null` where it does not say. An instance tells its own memory, else what its card tells. */
export const gpuLoadSchema = lenient({
  uuid: shortText,
  utilisationPercent: v.nullable(amount),
  memoryUsedBytes: v.nullable(wholeNumber),
  smClockMhz: v.nullable(amount),
  memoryClockMhz: v.nullable(amount),
  /** Of the whole card: `null` for an instance. */
  powerWatts: v.nullable(amount),
  powerLimitWatts: v.nullable(amount),
  temperatureCelsius: v.nullable(celsius),
  fanPercent: v.nullable(amount),
  /** Why it is slower than it could be; empty when it is not. Being idle is no reason. */
  throttled: v.pipe(v.array(shortText), v.maxLength(16)),
  /** Since the driver was loaded. */
  eccUncorrected: v.nullable(wholeNumber),
  /** Whether the driver stays loaded while nobody uses it. */
  persistence: v.nullable(v.boolean()),
  /** The last error of its card in the kernel's log. */
  xid: v.nullable(wholeNumber),
});
export type GpuLoad = v.InferOutput<typeof gpuLoadSchema>;

const diskLoadSchema = lenient({ path: v.string(), totalBytes: wholeNumber, freeBytes: wholeNumber });
export type DiskLoad = v.InferOutput<typeof diskLoadSchema>;

const temperatureSchema = lenient({ sensor: shortText, celsius });
export type Temperature = v.InferOutput<typeof temperatureSchema>;

/** Counters of the interface of the default route, since the machine's start. */
const networkLoadSchema = lenient({ device: shortText, receivedBytes: wholeNumber, sentBytes: wholeNumber });
export type NetworkLoad = v.InferOutput<typeof networkLoadSchema>;

/** What one attempt uses now. */
const workloadUsageSchema = lenient({
  task: taskId.schema,
  attempt: wholeNumber,
  /** Cores ×1000 since the look before; `null` at the first. */
  cpuMilli: v.nullable(wholeNumber),
  /** Without page cache that can be given back at once. */
  memoryBytes: v.nullable(wholeNumber),
  gpu: v.pipe(v.array(lenient({ uuid: shortText, memoryBytes: wholeNumber })), v.maxLength(128)),
});
export type WorkloadUsage = v.InferOutput<typeof workloadUsageSchema>;

/** How busy it is now; sent now and then, never stored in the state's transactions. */
export const loadSchema = lenient({
  load1: v.pipe(v.number(), v.minValue(0)),
  memoryAvailableBytes: wholeNumber,
  /** Of the disk with the Runner's data. */
  diskFreeBytes: wholeNumber,
  loopLagMs: v.pipe(v.number(), v.minValue(0)),
  gpus: v.optional(v.pipe(v.array(gpuLoadSchema), v.maxLength(128))),
  /** Why GPUs may be missing above; `null` when all answered. */
  gpuFault: v.optional(v.nullable(v.string())),
  disks: v.optional(v.pipe(v.array(diskLoadSchema), v.maxLength(32))),
  temperatures: v.optional(v.pipe(v.array(temperatureSchema), v.maxLength(64))),
  network: v.optional(v.nullable(networkLoadSchema)),
  /** What runs there; not shown with the node but with each task. */
  workloads: v.optional(v.pipe(v.array(workloadUsageSchema), v.maxLength(10_000))),
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
