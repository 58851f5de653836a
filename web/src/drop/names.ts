// Names that another device sent: docs/drop-protocol.md, section 8. The rules are those of
// client/drop/disk, on the same vectors.
import { utf8 } from './bytes';

export const partSuffix = '.coffer-part';

const maxName = 255; // bytes
const maxPath = 4096;

// Unsafe is what the rules throw for a name that could leave its folder, or mean two things.
export class Unsafe extends Error {
  constructor(what: string) {
    super('unsafe name: ' + clean(what).slice(0, 200));
    this.name = 'Unsafe';
  }
}

// clean replaces what is invisible: controls, separators, bidirectional controls, other format
// characters, broken text.
export const clean = (s: string): string => s.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\uFFFD]/gu, '_');

// safeName answers the name under which one path part may be stored. On Windows some characters
// and names have a meaning; they are changed there alone.
export function safeName(name: string, windows = false): string {
  if (name === '' || name === '.' || name === '..' || utf8(name).length > maxName || /[/\\\0]/.test(name)) throw new Unsafe(name);
  let safe = clean(name);
  if (windows) safe = windowsName(safe);
  if (safe.toLowerCase().endsWith(partSuffix)) safe = shorten(safe, maxName - 1) + '_';
  return safe;
}

function windowsName(name: string): string {
  let safe = name.replace(/[<>:"|?*]/g, '_').replace(/[. ]$/, '_');
  if (/^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$/i.test(safe.split('.')[0]!.trimEnd())) safe = shorten('_' + safe, maxName);
  return safe;
}

// shorten cuts to at most n bytes, between two characters.
function shorten(s: string, n: number): string {
  let bytes = 0;
  let end = 0;
  for (const char of s) {
    bytes += utf8(char).length;
    if (bytes > n) return s.slice(0, end);
    end += char.length;
  }
  return s;
}

// numbered is the nth name beside name: "letter (2).txt".
export function numbered(name: string, n: number): string {
  const dot = name.lastIndexOf('.');
  let ext = dot > 0 ? name.slice(dot) : '';
  if (utf8(ext).length > 16) ext = '';
  const number = ` (${n})`;
  return shorten(name.slice(0, name.length - ext.length), maxName - number.length - utf8(ext).length) + number + ext;
}

// key is equal for names that a file system without case takes for one.
const key = (name: string): string => name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');

interface Node { path: string; dir: boolean; listed: boolean; children: Map<string, Node>; taken: Map<string, number> }

// A list of 16 MiB can name millions of folders: this bounds what they take.
const mostCost = 128 * 2 ** 20;
const nodeCost = 256;

// Places gives each path of a folder its place, and no two the same.
export class Places {
  private cost = 0;
  private readonly root: Node = { path: '', dir: true, listed: true, children: new Map(), taken: new Map() };
  constructor(private readonly windows: boolean) {}

  // place answers where a sender's path is stored. A path that occurred before, or that is a file
  // and a folder at once, throws Unsafe.
  place(path: string, dir: boolean): string {
    if (utf8(path).length > maxPath) throw new Unsafe(path);
    let at = this.root;
    const parts = path.split('/');
    parts.forEach((part, i) => {
      const more = i < parts.length - 1;
      let child = at.children.get(part);
      if (!child) child = this.add(at, part, dir || more);
      else if (!child.dir || (!more && (!dir || child.listed))) throw new Unsafe(path);
      if (!more) child.listed = true;
      at = child;
    });
    return at.path;
  }

  private add(to: Node, part: string, dir: boolean): Node {
    const safe = safeName(part, this.windows);
    const base = key(safe);
    let free = safe;
    while ((to.taken.get(key(free)) ?? 0) > 0) {
      to.taken.set(base, to.taken.get(base)! + 1);
      free = numbered(safe, to.taken.get(base)!);
    }
    const node: Node = { path: to.path ? `${to.path}/${free}` : free, dir, listed: false, children: new Map(), taken: new Map() };
    if ((this.cost += node.path.length + nodeCost) > mostCost) throw new Unsafe(node.path);
    to.taken.set(key(free), Math.max(1, to.taken.get(key(free)) ?? 0));
    to.children.set(part, node);
    return node;
  }
}
