// What other rooms say of an entry, and do with it.
import { entryParts } from '../shell/room';
import type { Entry } from './tree';

export const deedsOf = (entry: Entry) => entryParts().flatMap((part) => part.deeds(entry));

// Marks stand beside the name of an entry.
export function Marks({ entry, tab }: { entry: Entry; tab: number }) {
  return <>{entryParts().map(({ Mark, order }) => <Mark key={order} entry={entry} tab={tab} />)}</>;
}
