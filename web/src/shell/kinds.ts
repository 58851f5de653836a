// What the app shows of a file without saving it. The type under which the browser sees the bytes
// comes from this list alone: nothing on it runs anything, whatever the file says that it is.

import type { Icon } from './icon';

export type Shown = 'image' | 'pdf' | 'text' | 'audio' | 'video';

export interface Kind {
  shown: Shown;
  type: string;
  most: number; // bytes; a larger file is offered for download
}

const MB = 1_000_000;
const most: Record<Shown, number> = { image: 60 * MB, pdf: 100 * MB, text: 2 * MB, audio: 250 * MB, video: 500 * MB };

const types: Record<string, Shown> = {
  'image/png': 'image', 'image/jpeg': 'image', 'image/gif': 'image', 'image/webp': 'image', 'image/avif': 'image', 'image/bmp': 'image',
  'application/pdf': 'pdf',
  'audio/mpeg': 'audio', 'audio/mp4': 'audio', 'audio/ogg': 'audio', 'audio/wav': 'audio', 'audio/flac': 'audio', 'audio/webm': 'audio', 'audio/aac': 'audio',
  'video/mp4': 'video', 'video/webm': 'video', 'video/ogg': 'video',
};

// Other names of those types.
const aliases: Record<string, string> = {
  'image/jpg': 'image/jpeg', 'image/pjpeg': 'image/jpeg', 'image/x-ms-bmp': 'image/bmp', 'application/x-pdf': 'application/pdf',
  'audio/mp3': 'audio/mpeg', 'audio/x-wav': 'audio/wav', 'audio/wave': 'audio/wav', 'audio/vnd.wave': 'audio/wav', 'audio/x-flac': 'audio/flac', 'audio/x-m4a': 'audio/mp4', 'audio/opus': 'audio/ogg', 'application/ogg': 'audio/ogg',
  'video/x-m4v': 'video/mp4', 'video/quicktime': 'video/mp4',
};

const endings: Record<string, string> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif', bmp: 'image/bmp',
  pdf: 'application/pdf',
  mp3: 'audio/mpeg', m4a: 'audio/mp4', ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg', wav: 'audio/wav', flac: 'audio/flac', aac: 'audio/aac', weba: 'audio/webm',
  mp4: 'video/mp4', m4v: 'video/mp4', mov: 'video/mp4', webm: 'video/webm', ogv: 'video/ogg',
};

// What is shown as the text that it is: pages and drawings too, which would run what they hold.
const written = /^(text\/.+|application\/(json|xml|javascript|ecmascript|x-sh|sql|toml|yaml|x-yaml|rtf|[\w.-]+\+(json|xml))|image\/svg\+xml)$/;
const writtenEndings = new Set('txt text md markdown csv tsv log json jsonl xml html htm xhtml svg css js mjs cjs ts tsx jsx go rs py rb java c h cc cpp hpp cs swift kt sh bash zsh fish sql toml yaml yml ini conf cfg env tex bib srt vtt ics vcf diff patch'.split(' '));

// kindOf says how a file is shown; undefined: not at all.
export function kindOf({ name, media_type: declared }: { name: string; media_type?: string }): Kind | undefined {
  const ending = name.includes('.') ? name.split('.').pop()!.toLowerCase() : '';
  const said = (declared ?? '').toLowerCase();
  for (const type of [aliases[said] ?? said, endings[ending]]) {
    const shown = type !== undefined && Object.hasOwn(types, type) ? types[type] : undefined;
    if (shown) return { shown, type: type!, most: most[shown] };
  }
  if (written.test(said) || writtenEndings.has(ending)) return { shown: 'text', type: 'text/plain', most: most.text };
  return undefined;
}

// textOf reads bytes as text; undefined: they are none.
export function textOf(bytes: Uint8Array): string | undefined {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

// isPdf looks for the mark that every PDF has near its beginning (ISO 32000-1, annex H.3.4.1).
export const isPdf = (bytes: Uint8Array): boolean => new TextDecoder('latin1').decode(bytes.subarray(0, 1024)).includes('%PDF-');

const icons: Record<string, Icon> = {
  png: 'image', jpg: 'image', jpeg: 'image', gif: 'image', webp: 'image', avif: 'image', heic: 'image', svg: 'image',
  mp3: 'audio', flac: 'audio', wav: 'audio', ogg: 'audio', m4a: 'audio', opus: 'audio',
  mp4: 'video', mkv: 'video', mov: 'video', webm: 'video', avi: 'video',
  zip: 'archive', gz: 'archive', tar: 'archive', xz: 'archive', zst: 'archive', '7z': 'archive', rar: 'archive',
};

export function iconOf(entry: { kind: string; name: string }): Icon {
  if (entry.kind === 'folder') return 'folder';
  const ending = entry.name.split('.').pop()!.toLowerCase();
  return Object.hasOwn(icons, ending) ? icons[ending]! : 'file';
}
