// A reporter for test/again: one line for each test that ended, into the file COFFER_TEST_RESULTS.
// "failed" may be run once more. "broken" may not: a file that ended early, a hook, a time-out.
import fs from 'node:fs';

export default async function* results(source) {
  for await (const { type, data } of source) {
    if (data?.nesting || data?.skip !== undefined || (type !== 'test:pass' && type !== 'test:fail')) continue;
    const ofFile = data.file?.endsWith(data.name);
    const failed = ['testCodeFailure', 'subtestsFailed'].includes(data.details.error?.failureType) && !ofFile;
    const word = type === 'test:pass' ? 'passed' : failed ? 'failed' : 'broken';
    if (word !== 'passed' || !ofFile) fs.appendFileSync(process.env.COFFER_TEST_RESULTS, [word, data.file, data.name].join('\t') + '\n');
  }
}
