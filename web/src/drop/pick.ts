// What a person picks or types: files, whole folders, links and codes.

// Offered is one item to offer. A file has one entry in `files`, whose path is its name.
export interface Offered {
  name: string;
  kind: 'file' | 'folder';
  files: { path: string; file: File }[];
  dirs?: string[]; // empty folders
  handle?: FileSystemHandle; // by which the browser finds the files again after a reload
}

// The parts of the File System Access API that the compiler does not know.
interface HandleItem { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> }

// offeredFrom reads what was dropped or picked. Call it while the drop event is handled: its items
// are gone afterwards.
export async function offeredFrom(list: DataTransfer | FileList): Promise<Offered[]> {
  if (!('items' in list)) return chosen(list);
  const entries: { entry: FileSystemEntry | null; file: File | null; handle?: Promise<FileSystemHandle | null> }[] = [];
  for (const item of list.items) {
    if (item.kind !== 'file') continue;
    entries.push({
      entry: item.webkitGetAsEntry(), file: item.getAsFile(),
      handle: (item as HandleItem).getAsFileSystemHandle?.().catch(() => null),
    });
  }
  if (entries.length === 0) return chosen(list.files);
  const found: Offered[] = [];
  for (const { entry, file, handle } of entries) {
    const kept = (await handle) ?? undefined;
    if (entry?.isDirectory) found.push({ ...(await folder(entry as FileSystemDirectoryEntry)), handle: kept });
    else if (file) found.push({ name: file.name, kind: 'file', files: [{ path: file.name, file }], handle: kept });
  }
  return found;
}

// offeredBy reads what a handle stands for: of the browser's picker, or one that was kept.
export async function offeredBy(handle: FileSystemHandle): Promise<Offered> {
  if (handle.kind === 'file') {
    const file = await (handle as FileSystemFileHandle).getFile();
    return { name: handle.name, kind: 'file', files: [{ path: handle.name, file }], handle };
  }
  const files: Offered['files'] = [];
  const dirs: string[] = [];
  const read = async (at: FileSystemDirectoryHandle, path: string): Promise<void> => {
    let empty = true;
    for await (const child of (at as unknown as { values(): AsyncIterable<FileSystemHandle> }).values()) {
      empty = false;
      if (child.kind === 'file') files.push({ path: path + child.name, file: await (child as FileSystemFileHandle).getFile() });
      else await read(child as FileSystemDirectoryHandle, `${path}${child.name}/`);
    }
    if (empty && path) dirs.push(path.slice(0, -1));
  };
  await read(handle as FileSystemDirectoryHandle, '');
  return { name: handle.name, kind: 'folder', files, dirs, handle };
}

// chosen sorts the files of an <input>. One with webkitdirectory names their folder.
function chosen(list: Iterable<File>): Offered[] {
  const found: Offered[] = [];
  const folders = new Map<string, Offered>();
  for (const file of list) {
    const [top, ...below] = (file.webkitRelativePath || file.name).split('/');
    if (below.length === 0) {
      found.push({ name: file.name, kind: 'file', files: [{ path: file.name, file }] });
      continue;
    }
    let of = folders.get(top!);
    if (!of) {
      of = { name: top!, kind: 'folder', files: [] };
      folders.set(top!, of);
      found.push(of);
    }
    of.files.push({ path: below.join('/'), file });
  }
  return found;
}

async function folder(root: FileSystemDirectoryEntry): Promise<Offered> {
  const files: Offered['files'] = [];
  const dirs: string[] = [];
  const read = async (at: FileSystemDirectoryEntry, path: string): Promise<void> => {
    const children = await childrenOf(at);
    if (children.length === 0 && path) dirs.push(path.slice(0, -1));
    for (const child of children) {
      if (child.isDirectory) await read(child as FileSystemDirectoryEntry, `${path}${child.name}/`);
      else files.push({ path: path + child.name, file: await new Promise<File>((resolve, reject) => (child as FileSystemFileEntry).file(resolve, reject)) });
    }
  };
  await read(root, '');
  return { name: root.name, kind: 'folder', files, dirs };
}

// readEntries answers at most a hundred at a time; an empty answer is the end.
async function childrenOf(at: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = at.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

// cleanName writes a typed name as the server does.
export const cleanName = (typed: string): string => typed.trim().toLowerCase().replace(/[\s_]+/g, '-');

export const isName = (name: string): boolean => name.length >= 3 && name.length <= 40 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);

// isSecret: six digits, or the 16 bytes of a link's key.
export const isSecret = (secret: string): boolean => /^\d{6}$/.test(secret) || /^v1\.[\w-]{21}[AQgw]$/.test(secret);

// parseLink reads a link, a name, or a name with its code. It answers undefined for anything else.
export function parseLink(text: string): { name: string; secret?: string } | undefined {
  const typed = text.trim();
  const link = /^(?:https?:\/\/[^/?#\s]+)?(?:\/[^?#\s]*)?\/d\/([^/?#\s]+)\/?(?:#(\S*))?$/i.exec(typed);
  if (link) {
    const name = cleanName(decoded(link[1]!));
    if (!isName(name) || (link[2] && !isSecret(link[2]))) return undefined;
    return link[2] ? { name, secret: link[2] } : { name };
  }
  const code = /^(.*?)[\s,;:]+(\d{3})[ -]?(\d{3})$/.exec(typed);
  const name = cleanName(code ? code[1]! : typed);
  if (!isName(name)) return undefined;
  return code ? { name, secret: code[2]! + code[3]! } : { name };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
