import type { NetworkLoad, Temperature } from '../../protocol/node-report.ts';
import type { MachineFiles } from './machine-files.ts';

const mostSensors = 64;
const hwmon = 'sys/class/hwmon';
const thermal = 'sys/class/thermal';

/**
 * What the sensors of the machine say: those of hwmon, and thermal zones whose chip has none there. Zones that read
 * what no machine survives, as firmware without a sensor does, are left out.
 */
export async function readTemperatures(files: MachineFiles): Promise<Temperature[]> {
  const chips = (await files.names(hwmon)).filter((name) => /^hwmon\d+$/.test(name)).toSorted(byNumber);
  const found: Temperature[] = [];
  const seen = new Set<string>();
  for (const folder of chips) {
    const chip = (await files.text(`${hwmon}/${folder}/name`)) ?? folder;
    seen.add(chip);
    found.push(...(await readChip(files, `${hwmon}/${folder}`, chip)));
  }
  const zones = (await files.names(thermal)).filter((name) => /^thermal_zone\d+$/.test(name)).toSorted(byNumber);
  for (const folder of zones) {
    const type = (await files.text(`${thermal}/${folder}/type`)) ?? folder;
    if (!seen.has(type)) found.push(...reading(type, await files.number(`${thermal}/${folder}/temp`)));
  }
  return found.slice(0, mostSensors);
}

async function readChip(files: MachineFiles, path: string, chip: string): Promise<Temperature[]> {
  const inputs = (await files.names(path)).filter((name) => /^temp\d+_input$/.test(name)).toSorted(byNumber);
  const all: Temperature[] = [];
  for (const input of inputs) {
    const stem = input.replace('_input', '');
    const label = (await files.text(`${path}/${stem}_label`)) ?? stem;
    all.push(...reading(`${chip} ${label}`, await files.number(`${path}/${input}`)));
  }
  return all;
}

function reading(sensor: string, milliCelsius: number | null): Temperature[] {
  const plausible = milliCelsius !== null && milliCelsius > -60_000 && milliCelsius < 200_000;
  return plausible ? [{ sensor: sensor.slice(0, 255), celsius: milliCelsius / 1000 }] : [];
}

function byNumber(a: string, b: string): number {
  return Number(/\d+/.exec(a)?.[0] ?? 0) - Number(/\d+/.exec(b)?.[0] ?? 0);
}

/** Counters of the interface of the default route; `null` without one. */
export async function readNetwork(files: MachineFiles): Promise<NetworkLoad | null> {
  const device = mainInterface((await files.text('proc/net/route')) ?? '');
  if (device === null) return null;
  const folder = `sys/class/net/${device}/statistics`;
  const [receivedBytes, sentBytes] = [
    await files.number(`${folder}/rx_bytes`),
    await files.number(`${folder}/tx_bytes`),
  ];
  return receivedBytes === null || sentBytes === null ? null : { device, receivedBytes, sentBytes };
}

/** The interface of the default route with the lowest metric, in the text of /proc/net/route. */
export function mainInterface(routes: string): string | null {
  const defaults = routes.split('\n').flatMap((line) => {
    const [device = '', destination, , , , , metric, mask] = line.trim().split(/\s+/);
    const isDefault = destination === '00000000' && mask === '00000000' && /^[\w.@-]{1,15}$/.test(device);
    return isDefault ? [{ device, metric: Number(metric) }] : [];
  });
  return defaults.toSorted((a, b) => a.metric - b.metric)[0]?.device ?? null;
}
