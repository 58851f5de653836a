// What the person typed at the sign-in before they came here. It stays in memory and is good
// for one page.
interface Typed {
  identifier: string;
  password?: string;
}

let typed: Typed | undefined;

export function setTyped(what: Typed): void {
  typed = what;
}

export function takeTyped(): Typed {
  const was = typed;
  typed = undefined;
  return was ?? { identifier: '' };
}
