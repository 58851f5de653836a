// A QR code as one path of squares: no inline style, no picture from elsewhere.
import encode from 'qr';
import { useMemo } from 'preact/hooks';

const quiet = 2; // modules around the code; the white frame of the style sheet is as wide again

export function Qr({ text, label, class: drawn }: { text: string; label: string; class: string }) {
  const { side, path } = useMemo(() => draw(text), [text]);
  return (
    <svg class={drawn} role="img" aria-label={label} viewBox={`0 0 ${side} ${side}`} shape-rendering="crispEdges">
      <path d={path} />
    </svg>
  );
}

// draw writes the dark modules of each row as rectangles.
export function draw(text: string): { side: number; path: string } {
  const rows = encode(text, 'raw', { ecc: 'medium', border: quiet });
  let path = '';
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      const from = x;
      while (row[x + 1]) x++;
      path += `M${from} ${y}h${x + 1 - from}v1H${from}z`;
    }
  });
  return { side: rows.length, path };
}
