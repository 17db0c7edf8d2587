/** Variables of the NVIDIA runtime that an image may set for itself: they narrow or check and give nothing. */
const harmless = /^NVIDIA_(?:DRIVER_CAPABILITIES|REQUIRE_.*)$/;

/**
 * Variables that an image sets unasked and that reach the engine's own helpers: `LD_*` runs code in the hook that
 * gives GPUs (CVE-2025-23266), `NVIDIA_*` asks that hook for devices. They cannot be unset, only blanked.
 */
export function blankedVariables(imageEnv: readonly string[]): Record<string, string> {
  const blank: Record<string, string> = {};
  for (const entry of imageEnv) {
    const key = entry.slice(0, Math.max(0, entry.indexOf('=')));
    if (/^(?:LD_|NVIDIA_)/.test(key) && !harmless.test(key)) blank[key] = '';
  }
  return blank;
}

/** What the process finds in its environment, in the engine's form. What stands later wins. */
export function containerEnv(parts: {
  imageEnv: readonly string[];
  spec: Readonly<Record<string, string>>;
  weir: Readonly<Record<string, string>>;
  gpuUuids: readonly string[];
}): string[] {
  const all = {
    ...blankedVariables(parts.imageEnv),
    ...parts.spec,
    ...parts.weir,
    NVIDIA_VISIBLE_DEVICES: parts.gpuUuids.length === 0 ? 'void' : parts.gpuUuids.join(','),
  };
  return Object.entries(all).map(([key, value]) => `${key}=${value}`);
}
