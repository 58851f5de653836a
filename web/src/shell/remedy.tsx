// Where a problem can be mended: a link that a room offers for its code, behind the words.
import type { Problem } from './problem';
import { rooms } from './room';

export function Remedy({ problem }: { problem: Problem }) {
  for (const { remedies } of rooms()) {
    const to = remedies && Object.hasOwn(remedies, problem.code) ? remedies[problem.code] : undefined;
    if (to) return <> <a href={to.href}>{to.label()}</a></>;
  }
  return null;
}
