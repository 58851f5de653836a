// The marks and actions that other rooms add to an entry.
import { entryParts } from '../shell/room';
import type { Entry } from './tree';

export const deedsOf = (entry: Entry) => entryParts().flatMap((part) => part.deeds(entry));

// Marks stand beside the name of an entry.
export function Marks({ entry, tab }: { entry: Entry; tab: number }) {
  return <>{entryParts().map(({ Mark, order }) => Mark && <Mark key={order} entry={entry} tab={tab} />)}</>;
}
