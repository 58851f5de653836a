// What the page of a drop is given: a name, and the secret of a link. The secret lives in memory
// alone; the fragment leaves the address at once.
import { go } from '../shell/router';

let handed: { name: string; secret?: string } | undefined;

// hand leads to the page of a drop.
export function hand(to: { name: string; secret?: string }): void {
  handed = to;
  go('/d/' + encodeURIComponent(to.name));
}

// take returns the secret for the page of that name, once.
export function take(name: string): string | undefined {
  const fragment = location.hash.slice(1);
  if (fragment) {
    history.replaceState(history.state, '', location.pathname + location.search);
    return fragment;
  }
  const given = handed?.name === name ? handed.secret : undefined;
  handed = undefined;
  return given;
}
