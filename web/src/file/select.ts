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

// everything selects what is loaded, and what is not.
export function everything(p: Picked, ...items: readonly (readonly { id: string }[])[]): Picked {
  return { ...p, ids: new Set(items.flat().map((i) => i.id)) };
}

export function without(p: Picked, gone: readonly { id: string }[]): Picked {
  const ids = new Set(p.ids);
  for (const { id } of gone) ids.delete(id);
  return { ...p, ids };
}

// keep drops entries that are no longer listed. `beyond` tells of an entry that is not
// loaded whether it is in the folder all the same.
export function keep(p: Picked, items: readonly { id: string }[], beyond: (id: string) => boolean = () => false): Picked {
  const there = new Set(items.map((i) => i.id));
  const last = Math.max(0, items.length - 1);
  return {
    ids: new Set([...p.ids].filter((id) => there.has(id) || beyond(id))),
    focus: Math.min(p.focus, last),
    anchor: Math.min(p.anchor, last),
  };
}

// moved returns where an arrow, Home, End or a page key leads; undefined for other keys.
export function moved(key: string, focus: number, count: number): number | undefined {
  const last = count - 1;
  switch (key) {
    case 'ArrowDown': return Math.min(last, focus + 1);
    case 'ArrowUp': return Math.max(0, focus - 1);
    case 'PageDown': return Math.min(last, focus + 10);
    case 'PageUp': return Math.max(0, focus - 10);
    case 'Home': return 0;
    case 'End': return last;
    default: return undefined;
  }
}
