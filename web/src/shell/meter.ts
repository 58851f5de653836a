// How fast bytes go, and how long the rest takes.

const span = 5000; // milliseconds that the speed looks back on

export class Meter {
  #seen: { at: number; bytes: number }[] = [];

  // start forgets what was: the speed is measured from here.
  start(at: number, bytes: number): void {
    this.#seen = [{ at, bytes }];
  }

  // note remembers how many bytes had gone at a time; fewer than before is a new start.
  note(at: number, bytes: number): void {
    const last = this.#seen.at(-1);
    if (last && bytes < last.bytes) this.#seen = [];
    this.#seen.push({ at, bytes });
    // One older than the span stays: the speed is measured from there.
    while (this.#seen.length > 2 && this.#seen[1]!.at <= at - span) this.#seen.shift();
  }

  // speed is in bytes per second; undefined until a second has been seen.
  speed(now: number): number | undefined {
    const first = this.#seen[0];
    const last = this.#seen.at(-1);
    if (!first || !last || now - first.at < 1000) return undefined;
    const from = this.#seen.findLast((s) => s.at <= now - span) ?? first;
    return ((last.bytes - from.bytes) * 1000) / (now - from.at);
  }

  // left is in seconds; undefined when nothing moves.
  left(now: number, bytes: number): number | undefined {
    const speed = this.speed(now);
    return speed ? bytes / speed : undefined;
  }
}

// rounded returns a number of seconds as people say it: an amount of one unit.
export function rounded(seconds: number): { amount: number; unit: 'second' | 'minute' | 'hour' } {
  if (seconds <= 55) return { amount: Math.max(5, Math.ceil(seconds / 5) * 5), unit: 'second' };
  if (seconds <= 59.5 * 60) return { amount: Math.max(1, Math.round(seconds / 60)), unit: 'minute' };
  return { amount: Math.max(1, Math.round(seconds / 3600)), unit: 'hour' };
}
