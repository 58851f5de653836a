// Reads dropped or chosen files together with their folders.

export interface Found {
  path: string[]; // the folders above it, outermost first
  file: File;
}

export interface Tree {
  files: Found[];
  folders: string[][]; // every folder, parents before children, empty ones too
}

// The part of the File and Directory Entries API that walking needs.
export interface Node {
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
}
interface FileNode extends Node {
  file(found: (file: File) => void, failed: (err: unknown) => void): void;
}
interface FolderNode extends Node {
  createReader(): { readEntries(found: (nodes: Node[]) => void, failed: (err: unknown) => void): void };
}

// walk reads dropped entries all the way down.
export async function walk(roots: readonly Node[]): Promise<Tree> {
  const tree: Tree = { files: [], folders: [] };
  const queue: { node: Node; path: string[] }[] = roots.map((node) => ({ node, path: [] }));
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { node, path } = next;
    if (node.isFile) {
      tree.files.push({ path, file: await fileOf(node as FileNode) });
    } else if (node.isDirectory) {
      const inside = [...path, node.name];
      tree.folders.push(inside);
      for (const child of await childrenOf(node as FolderNode)) queue.push({ node: child, path: inside });
    }
  }
  return tree;
}

function fileOf(node: FileNode): Promise<File> {
  return new Promise((resolve, reject) => node.file(resolve, reject));
}

// readEntries returns at most a hundred at a time; an empty answer is the end.
async function childrenOf(node: FolderNode): Promise<Node[]> {
  const reader = node.createReader();
  const all: Node[] = [];
  for (;;) {
    const some = await new Promise<Node[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

// chosen sorts the files of an <input>; one with webkitdirectory names their folders.
export function chosen(files: Iterable<File>): Tree {
  const tree: Tree = { files: [], folders: [] };
  const seen = new Set<string>();
  for (const file of files) {
    const path = (file.webkitRelativePath ?? '').split('/').slice(0, -1);
    for (let depth = 1; depth <= path.length; depth++) {
      const folder = path.slice(0, depth);
      const key = folder.join('/');
      if (!seen.has(key)) {
        seen.add(key);
        tree.folders.push(folder);
      }
    }
    tree.files.push({ path, file });
  }
  return tree;
}

// dropped must be called while the drop event is being handled: its items are gone after.
export function dropped(transfer: DataTransfer): Promise<Tree> {
  const nodes: Node[] = [];
  for (const item of transfer.items) {
    const node = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    if (node) nodes.push(node as Node);
  }
  return nodes.length > 0 ? walk(nodes) : Promise.resolve(chosen(transfer.files));
}
