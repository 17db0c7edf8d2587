import type { GpuLoad } from '../../protocol/node-report.ts';
import { cardUuid } from './gpu-listing.ts';
import type { SmiField } from './smi.ts';
import { parseSmiRows, smiBytes, smiNumber, type SmiRow } from './smi-rows.ts';

/** What a card tells of itself. */
export type CardLoad = Omit<GpuLoad, 'xid'>;

export const loadFields = [
  ['uuid'],
  ['utilization.gpu'],
  ['memory.used'],
  ['clocks.sm', 'clocks.current.sm'],
  ['clocks.mem', 'clocks.current.memory'],
  ['power.draw', 'power.draw.average'],
  ['enforced.power.limit', 'power.limit'],
  ['temperature.gpu'],
  ['fan.speed'],
  ['clocks_event_reasons.active', 'clocks_throttle_reasons.active'],
  ['ecc.errors.uncorrected.volatile.total'],
  ['persistence_mode'],
] as const satisfies readonly SmiField[];

export function parseGpuLoads(
  stdout: string,
  columns: readonly (string | null)[],
): { loads: CardLoad[]; faults: string[] } {
  const { rows, faults } = parseSmiRows(stdout, { columns, isFirst: cardUuid });
  return { loads: rows.map(toLoad), faults };
}

function toLoad(row: SmiRow): CardLoad {
  const [uuid = '', utilisation, memory, sm, memoryClock, power, limit, temperature, fan, reasons, ecc, persistence] =
    row;
  return {
    uuid,
    utilisationPercent: smiNumber(utilisation),
    memoryUsedBytes: smiBytes(memory),
    smClockMhz: smiNumber(sm),
    memoryClockMhz: smiNumber(memoryClock),
    powerWatts: smiNumber(power),
    powerLimitWatts: smiNumber(limit),
    temperatureCelsius: smiNumber(temperature),
    fanPercent: smiNumber(fan),
    throttled: throttleReasons(reasons ?? ''),
    eccUncorrected: smiNumber(ecc),
    persistence: persistence === 'Enabled' ? true : persistence === 'Disabled' ? false : null,
  };
}

/** Bits of `nvmlClocksEventReasons` (nvml.h) that slow a card down; idle (bit 0) and chosen clocks (1, 8) do not count. */
const reasonBits = [
  [2, 'sw_power_cap'],
  [3, 'hw_slowdown'],
  [4, 'sync_boost'],
  [5, 'sw_thermal_slowdown'],
  [6, 'hw_thermal_slowdown'],
  [7, 'hw_power_brake'],
] as const;

/** Reads a mask such as `0x0000000000000044`; empty when it is none. */
export function throttleReasons(mask: string): string[] {
  if (!/^0x[0-9a-f]{1,16}$/i.test(mask)) return [];
  const bits = BigInt(mask);
  return reasonBits.filter(([bit]) => (bits & (1n << BigInt(bit))) !== 0n).map(([, name]) => name);
}
