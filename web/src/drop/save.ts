// Hands a verified item out of the browser's own storage.
import type { Contents } from './bundle';
import type { Described } from './message';
import { numbered, safeName } from './names';
import { listOf } from './part';
import { zip, type Entry } from './zip';

// zipOf is a received folder as one zip. Its bytes stay where they are.
export function zipOf(file: Blob, { files, dirs }: Contents, crcs: readonly number[]): Blob {
  const entries: Entry[] = files.map(({ path, size, modified, at }, i) => ({ path, content: file.slice(at, at + size), crc: crcs[i]!, modified }));
  for (const dir of dirs) entries.push({ path: dir + '/', content: new Blob(), crc: 0, modified: Date.now() });
  return zip(entries);
}

// saveInto writes to what the person picked, or answers the file to download.
export async function saveInto(item: Described, file: File, zipped: () => Promise<Blob>, windows: boolean, to?: FileSystemHandle): Promise<{ file: Blob; name: string } | undefined> {
  const name = safeName(item.name, windows);
  if (to?.kind === 'directory') {
    const folder = to as FileSystemDirectoryHandle;
    if (item.kind === 'file') await write(await free(folder, name, 'file') as FileSystemFileHandle, file);
    else await unpack(file, await free(folder, name, 'directory') as FileSystemDirectoryHandle);
    return undefined;
  }
  // With no type the browser guesses one, and adds its ending to the name.
  const whole = item.kind === 'file' ? file.slice(0, file.size, item.type || 'application/octet-stream') : await zipped();
  if (!to) return { file: whole, name: item.kind === 'file' ? name : name + '.zip' };
  await write(to as FileSystemFileHandle, whole);
  return undefined;
}

async function write(to: FileSystemFileHandle, content: Blob): Promise<void> {
  await content.stream().pipeTo(await to.createWritable()); // the browser swaps the file in at the end
}

// free makes a file or a folder under the first name that is not taken.
async function free(folder: FileSystemDirectoryHandle, name: string, kind: 'file' | 'directory'): Promise<FileSystemHandle> {
  const taken = new Set<string>();
  for await (const other of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) taken.add(other.toLowerCase());
  let own = name;
  for (let n = 2; taken.has(own.toLowerCase()); n++) own = numbered(name, n);
  return made(folder, own, kind);
}

// made names what the browser does not let a page create with one "_" more.
async function made(folder: FileSystemDirectoryHandle, name: string, kind: 'file' | 'directory'): Promise<FileSystemHandle> {
  const make = (as: string) => (kind === 'file' ? folder.getFileHandle(as, { create: true }) : folder.getDirectoryHandle(as, { create: true }));
  try {
    return await make(name);
  } catch (err) {
    if (!(err instanceof TypeError)) throw err;
    return make(name + '_');
  }
}

async function unpack(file: File, into: FileSystemDirectoryHandle): Promise<void> {
  const { files, dirs } = await listOf(file, true); // the picked folder may lie on any file system
  const folders = new Map<string, Promise<FileSystemDirectoryHandle>>([['', Promise.resolve(into)]]);
  const folderOf = (path: string): Promise<FileSystemDirectoryHandle> => {
    let folder = folders.get(path);
    if (!folder) {
      const cut = path.lastIndexOf('/');
      folder = folderOf(path.slice(0, Math.max(cut, 0))).then((above) => made(above, path.slice(cut + 1), 'directory') as Promise<FileSystemDirectoryHandle>);
      folders.set(path, folder);
    }
    return folder;
  };
  for (const dir of dirs) await folderOf(dir);
  for (const { path, size, at } of files) {
    const cut = path.lastIndexOf('/');
    const handle = await made(await folderOf(path.slice(0, Math.max(cut, 0))), path.slice(cut + 1), 'file');
    await write(handle as FileSystemFileHandle, file.slice(at, at + size));
  }
}
