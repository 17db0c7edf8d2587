// @ts-check
// A reporter of vitest that prints nothing: it leaves the counts in the file named by WEIR_TEST_COUNTS.
import { writeFileSync } from 'node:fs';

export default class CountReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} errors what broke outside of a test
   */
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (/** @type {string} */ state) => tests.filter((test) => test.result().state === state).length;
    const broken = modules.flatMap((module) => module.errors()).length + errors.length;
    const counts = {
      passed: count('passed'),
      failed: count('failed') + broken,
      skipped: count('skipped'),
    };
    const file = process.env.WEIR_TEST_COUNTS;
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  }
}
