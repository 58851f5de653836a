// What the person typed or showed at the sign-in before they came here. It stays in memory and is
// good for one page.
import type { Typed } from '../shell/room';

let typed: Typed | undefined;

export function setTyped(what: Typed): void {
  typed = what;
}

export function takeTyped(): Typed {
  const was = typed;
  typed = undefined;
  return was ?? { identifier: '' };
}
