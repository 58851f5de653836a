// Choosing files and folders. The browser's own picker gives handles, by which the files are found
// again after a reload; the others give the files alone.
import { offeredFrom, type Offered } from './drop';
import { offeredBy } from './pick';

type Pickers = {
  showOpenFilePicker?: (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?: (options?: { mode?: 'readwrite' }) => Promise<FileSystemDirectoryHandle>;
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
};
const pickers = globalThis as Pickers;

// choose answers undefined when the person takes the choice back.
export async function choose(folder: boolean): Promise<Offered[] | undefined> {
  if (folder ? pickers.showDirectoryPicker : pickers.showOpenFilePicker) {
    const handles = await unlessClosed(async () => (folder ? [await pickers.showDirectoryPicker!()] : pickers.showOpenFilePicker!({ multiple: true })));
    return handles && Promise.all(handles.map(offeredBy));
  }
  const field = document.createElement('input');
  field.type = 'file';
  field.multiple = true;
  field.webkitdirectory = folder;
  field.hidden = true;
  const list = await new Promise<FileList | null>((resolve) => {
    field.addEventListener('change', () => resolve(field.files));
    field.addEventListener('cancel', () => resolve(null));
    document.body.append(field);
    field.click();
  });
  field.remove();
  return list ? offeredFrom(list) : undefined;
}

// Phones have no folders to choose.
export const choosesFolders = (): boolean => !matchMedia('(pointer: coarse)').matches && 'webkitdirectory' in HTMLInputElement.prototype;

export const savesIntoFolders = (): boolean => pickers.showDirectoryPicker !== undefined;
export const savesIntoFiles = (): boolean => pickers.showSaveFilePicker !== undefined;
export const targetFolder = () => unlessClosed(() => pickers.showDirectoryPicker!({ mode: 'readwrite' }));
export const targetFile = (name: string) => unlessClosed(() => pickers.showSaveFilePicker!({ suggestedName: name }));

// unlessClosed answers undefined when the person closes the picker.
async function unlessClosed<T>(pick: () => Promise<T>): Promise<T | undefined> {
  try {
    return await pick();
  } catch (err) {
    if (err instanceof DOMException && err.name === 'AbortError') return undefined;
    throw err;
  }
}
