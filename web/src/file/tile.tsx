// A tile of an entry: its thumbnail, or what kind of thing it is.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Icon } from '../shell/icon';
import { iconOf } from '../shell/kinds';
import { Name } from '../shell/name';
import { Menu } from '../shell/ui';
import type { Item } from './list';
import { Marks } from './others';
import { useThumbnail } from './thumbnail';
import type { Entry } from './tree';
import { t } from './words';

export function Tile({ entry, at, column, focus, selected, menu, draggable, takes, under, onClick, onToggle, onOpen, onFocus, onLift, onLower }: Item & { column: number; under: ComponentChildren }) {
  const tab = focus ? 0 : -1;
  const name = <Name name={entry.name} read={!onOpen} />;
  return (
    <div role="gridcell" class="tile" data-at={at} data-id={entry.id} tabIndex={tab} aria-selected={selected} aria-colindex={column + 1} draggable={draggable} onClick={onClick} onFocusIn={onFocus}
      onDragStart={onLift} onDragEnd={onLower} {...takes}>
      <Face key={entry.sha256} entry={entry} />
      <label class="tile-check"><input type="checkbox" tabIndex={tab} checked={selected} aria-label={t('select', { name: entry.name })} onChange={onToggle} /></label>
      <div class="tile-text">
        <div class="tile-name">
          {!onOpen ? name
            : entry.kind === 'folder' ? <a tabIndex={tab} href={'/files/' + entry.id} draggable={false} aria-label={entry.name}>{name}</a>
            : <button type="button" class="link" tabIndex={tab} aria-label={t('openOf', { name: entry.name })} onClick={onOpen}>{name}</button>}
          {onOpen && <Marks entry={entry} tab={tab} />}
          {entry.damaged && <strong class="danger-text">{t('damaged')}</strong>}
        </div>
        <div class="tile-under">{under}</div>
      </div>
      <Menu label={t('rowMenu', { name: entry.name })} items={menu} tabIndex={tab}><Icon name="more" /></Menu>
    </div>
  );
}

function Face({ entry }: { entry: Entry }) {
  const [face, url] = useThumbnail(entry);
  const [broken, setBroken] = useState(false);
  const icon = iconOf(entry);
  return (
    <div ref={face} class="tile-face">
      {url && !broken ? <img src={url} alt="" draggable={false} onError={() => setBroken(true)} /> : <Icon name={icon} class={'kind kind-' + icon} />}
    </div>
  );
}

// TileGap stands for lines that are not drawn.
export function TileGap({ height }: { height: number }) {
  return <div class="gap" aria-hidden="true" ref={(gap) => { if (gap) gap.style.height = height + 'px'; }} />;
}
