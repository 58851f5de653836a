// Long names are cut in the middle: the end says what the file is.

const short = 18; // a name this long is never split
const before = 6; // letters kept before the extension
const longest = 12; // an extension over this is none

// cut splits a name into a part that may lose its end and one that stays whole.
export function cut(name: string): [head: string, tail: string] {
  const letters = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(name)].map((s) => s.segment);
  if (letters.length <= short) return [name, ''];
  const dot = letters.lastIndexOf('.');
  const extension = dot > 0 && letters.length - dot <= longest ? letters.length - dot : 0;
  const at = letters.length - extension - before;
  return [letters.slice(0, at).join(''), letters.slice(at).join('')];
}
