// The square that is cut out of a picture, in pixels of the picture as it stands upright.

export interface Size {
  width: number;
  height: number;
}

export interface Crop {
  x: number;
  y: number;
  side: number;
}

const least = 64; // pixels of the smallest square, where the picture has so many

export const largest = ({ width, height }: Size): number => Math.min(width, height);
export const smallest = (of: Size): number => Math.min(least, largest(of));

// held keeps a square inside its picture.
function held(of: Size, x: number, y: number, side: number): Crop {
  const kept = Math.min(largest(of), Math.max(smallest(of), side));
  const inside = (at: number, room: number) => Math.min(Math.max(0, at), room - kept);
  return { x: inside(x, of.width), y: inside(y, of.height), side: kept };
}

// centred is the largest square in the middle.
export function centred(of: Size): Crop {
  const side = largest(of);
  return held(of, (of.width - side) / 2, (of.height - side) / 2, side);
}

// moved moves the square over the picture.
export const moved = (of: Size, c: Crop, right: number, down: number): Crop => held(of, c.x + right, c.y + down, c.side);

// sized gives the square another side. The point of the picture at `at`, from 0 to 1 across the
// square, stays where it is.
export function sized(of: Size, c: Crop, side: number, at: readonly [x: number, y: number] = [.5, .5]): Crop {
  const to = held(of, c.x, c.y, side).side;
  return held(of, c.x + at[0] * (c.side - to), c.y + at[1] * (c.side - to), to);
}

// The slider goes from 0, the largest square, to 1, the smallest; each step changes by the same share.
export function zoomOf(of: Size, c: Crop): number {
  const whole = Math.log(largest(of) / smallest(of));
  return whole > 0 ? Math.log(largest(of) / c.side) / whole : 0;
}

export const sideOf = (of: Size, zoom: number): number => largest(of) / Math.pow(largest(of) / smallest(of), zoom);

// whole rounds to pixels, still inside the picture.
export function whole(of: Size, c: Crop): Crop {
  const side = Math.max(1, Math.min(largest(of), Math.round(c.side)));
  const inside = (at: number, room: number) => Math.min(Math.max(0, Math.round(at)), room - side);
  return { x: inside(c.x, of.width), y: inside(c.y, of.height), side };
}
