// The dialog in which the person chooses the square of a picture: with the mouse, with fingers, or
// with keys. The server cuts it out.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { put, type Answer } from '../shell/api';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { Dialog, useEnd } from '../shell/ui';
import { centred, moved, sideOf, sized, whole, zoomOf, type Crop, type Size } from './crop';
import { t } from './words';

type Avatar = Answer<'put', '/account/avatar'>['avatar'];

const squareOf = ({ x, y, side }: Crop) => ({ x: String(x), y: String(y), side: String(side) });

interface CropProps {
  file: File;
  onSaved: (avatar: Avatar) => void;
  onOther: () => void;
  onClose: () => void;
}

export function CropDialog({ file, onSaved, onOther, onClose }: CropProps) {
  const end = useEnd();
  const [url, setUrl] = useState<string>();
  const [of, setOf] = useState<Size>();
  const [crop, setCrop] = useState<Crop>();
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    const mine = URL.createObjectURL(file);
    setUrl(mine);
    return () => URL.revokeObjectURL(mine);
  }, [file]);

  function loaded({ naturalWidth: width, naturalHeight: height }: HTMLImageElement) {
    if (!width || !height) return setBroken(true); // a drawing without a size
    setOf({ width, height });
    setCrop(centred({ width, height }));
  }

  return (
    <Dialog title={t('cropTitle')} onClose={onClose} class="crop-dialog">
      {broken ? (
        <div class="crop-broken">
          <p role="alert">{t('broken')}</p>
          <div class="form-actions">
            <button type="button" class="button primary" onClick={onOther}>{t('other')}</button>
            <button type="button" class="button" onClick={onClose}>{t('cancel')}</button>
          </div>
        </div>
      ) : (
        <Form submit={t('save')} onCancel={onClose} onSubmit={async () => {
          if (!of || !crop) return;
          const { avatar } = await put('/account/avatar', { query: squareOf(whole(of, crop)), raw: file, signal: end });
          onSaved(avatar);
        }}>
          <Cropper url={url} of={of} crop={crop} change={setCrop} onLoad={loaded} onError={() => setBroken(true)} />
        </Form>
      )}
    </Dialog>
  );
}

interface CropperProps {
  url: string | undefined;
  of: Size | undefined;
  crop: Crop | undefined;
  change: (to: (c: Crop | undefined) => Crop | undefined) => void;
  onLoad: (image: HTMLImageElement) => void;
  onError: () => void;
}

interface Point {
  x: number;
  y: number;
}

const between = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

// Cropper shows the square; the picture moves below it.
function Cropper({ url, of, crop, change, onLoad, onError }: CropperProps) {
  const frame = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const fingers = useRef(new Map<number, Point>());

  useLayoutEffect(() => {
    if (!of || !crop) return;
    const { style } = image.current!;
    style.width = `${(100 * of.width) / crop.side}%`;
    style.left = `${(-100 * crop.x) / crop.side}%`;
    style.top = `${(-100 * crop.y) / crop.side}%`;
  }, [of, crop]);

  const edit = (how: (of: Size, c: Crop) => Crop) => change((c) => (of && c ? how(of, c) : c));
  // Where a point of the screen is across the square, from 0 to 1.
  const across = ({ x, y }: Point): [number, number] => {
    const box = frame.current!.getBoundingClientRect();
    return [(x - box.left) / box.width, (y - box.top) / box.height];
  };
  const drag = (right: number, down: number) => {
    const { width } = frame.current!.getBoundingClientRect();
    edit((of, c) => moved(of, c, (-right * c.side) / width, (-down * c.side) / width));
  };

  function press(event: PointerEvent) {
    if (event.button !== 0) return;
    frame.current!.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  function move(event: PointerEvent) {
    const before = fingers.current.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    fingers.current.set(event.pointerId, now);
    const [other] = [...fingers.current].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (!other) return drag(now.x - before.x, now.y - before.y);
    // Two fingers: their distance sizes the picture, and their middle takes it along.
    const [was, is] = [between(before, other), between(now, other)];
    const middle = across({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    if (is > 0) edit((of, c) => sized(of, c, (c.side * was) / is, middle));
    drag((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  const lift = (event: PointerEvent) => fingers.current.delete(event.pointerId);

  function wheel(event: WheelEvent) {
    event.preventDefault();
    const at = across({ x: event.clientX, y: event.clientY });
    edit((of, c) => sized(of, c, c.side * Math.exp(Math.sign(event.deltaY) * Math.min(.2, Math.abs(event.deltaY) / 500)), at));
  }

  function key(event: KeyboardEvent) {
    const step = event.shiftKey ? .1 : .02;
    const to: Record<string, [number, number]> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const way = to[event.key];
    if (way) edit((of, c) => moved(of, c, way[0] * c.side, way[1] * c.side));
    else if (event.key === '+' || event.key === '=') edit((of, c) => sized(of, c, c.side / 1.1));
    else if (event.key === '-') edit((of, c) => sized(of, c, c.side * 1.1));
    else return;
    event.preventDefault();
  }

  return (
    <div class="crop">
      <div ref={frame} class={of ? 'crop-frame' : 'crop-frame crop-waits'} role="application" data-first tabIndex={0} aria-label={t('area')} aria-describedby="crop-keys"
        onPointerDown={press} onPointerMove={move} onPointerUp={lift} onPointerCancel={lift} onWheel={wheel} onKeyDown={key}>
        {url && <img ref={image} src={url} alt="" draggable={false} onLoad={(event) => onLoad(event.currentTarget)} onError={onError} />}
        {!of && <span class="spinner" aria-hidden="true" />}
      </div>
      <label class="crop-zoom">
        <span class="hidden">{t('zoom')}</span>
        <Icon name="image" />
        <input type="range" min="0" max="1" step="0.01" disabled={!of} value={of && crop ? zoomOf(of, crop) : 0}
          onInput={({ currentTarget: { valueAsNumber: zoom } }) => edit((of, c) => sized(of, c, sideOf(of, zoom)))} />
        <Icon name="image" class="crop-big" />
      </label>
      <p class="hint" id="crop-keys">{t('keys')}</p>
    </div>
  );
}
