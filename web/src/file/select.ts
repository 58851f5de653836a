// The selection of a grid: which rows are selected and which one has the focus.

export interface Picked {
  readonly ids: ReadonlySet<string>;
  readonly focus: number; // index of the row that Tab reaches
  readonly anchor: number; // where a range began
}

export const nothing: Picked = { ids: new Set(), focus: 0, anchor: 0 };

export function only(items: readonly { id: string }[], at: number): Picked {
  const item = items[at];
  return { ids: new Set(item ? [item.id] : []), focus: at, anchor: at };
}

export function toggle(p: Picked, items: readonly { id: string }[], at: number): Picked {
  const ids = new Set(p.ids);
  const id = items[at]?.id;
  if (id !== undefined && !ids.delete(id)) ids.add(id);
  return { ids, focus: at, anchor: at };
}

export function range(p: Picked, items: readonly { id: string }[], to: number): Picked {
  const [from, end] = p.anchor < to ? [p.anchor, to] : [to, p.anchor];
  return { ids: new Set(items.slice(from, end + 1).map((i) => i.id)), focus: to, anchor: p.anchor };
}

export function everything(p: Picked, items: readonly { id: string }[]): Picked {
  return { ...p, ids: new Set(items.map((i) => i.id)) };
}

export function without(p: Picked, gone: readonly { id: string }[]): Picked {
  const ids = new Set(p.ids);
  for (const { id } of gone) ids.delete(id);
  return { ...p, ids };
}

// keep drops entries that are no longer listed. The focus and the anchor stay with their entries,
// wherever the new list has them.
export function keep(p: Picked, items: readonly { id: string }[], before: readonly { id: string }[] = items): Picked {
  const last = Math.max(0, items.length - 1);
  const follow = (at: number) => {
    const id = before[at]?.id;
    const to = items[at]?.id === id ? at : items.findIndex((e) => e.id === id);
    return to >= 0 ? to : Math.min(at, last);
  };
  const focus = Math.min(follow(p.focus), last);
  const anchor = Math.min(follow(p.anchor), last);
  if (p.ids.size === 0) return focus === p.focus && anchor === p.anchor ? p : { ...p, focus, anchor };
  const there = new Set(items.map((i) => i.id));
  return { ids: new Set([...p.ids].filter((id) => there.has(id))), focus, anchor };
}

// moved returns where an arrow, Home, End or a page key leads; undefined for other keys. Tiles stand
// in several columns.
export function moved(key: string, focus: number, count: number, columns = 1): number | undefined {
  const last = count - 1;
  const page = columns > 1 ? 3 * columns : 10;
  switch (key) {
    // Down from a full line leads to the last tile where none stands below.
    case 'ArrowDown': return Math.floor(focus / columns) < Math.floor(last / columns) ? Math.min(last, focus + columns) : focus;
    case 'ArrowUp': return focus >= columns ? focus - columns : focus;
    case 'ArrowRight': return columns > 1 ? Math.min(last, focus + 1) : undefined;
    case 'ArrowLeft': return columns > 1 ? Math.max(0, focus - 1) : undefined;
    case 'PageDown': return Math.min(last, focus + page);
    case 'PageUp': return Math.max(0, focus - page);
    case 'Home': return 0;
    case 'End': return last;
    default: return undefined;
  }
}
