import { ensureDemoImage } from '../../scripts/demo-image.mjs';
import { setup } from '../../scripts/setup.mjs';

/** For the tests that need an engine: one that answers, and the small image in it. */
// oxlint-disable-next-line import/no-default-export -- vitest asks for it
export default async function prepareEngine(): Promise<() => Promise<void>> {
  const ready = await setup({ docker: true, quiet: true });
  await ensureDemoImage();
  return () => ready[Symbol.asyncDispose]();
}
