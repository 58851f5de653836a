// What becomes of things whose name is taken where they go.

export type Answer = 'keep' | 'skip';

export interface Reply {
  answer: Answer;
  all: boolean; // for the others too
}

// same is the form in which the server compares names.
export const same = (name: string): string => name.normalize('NFC');

// settle asks about each clash in turn, until one answer is for all. The answers come by
// the place of the clash.
export async function settle<C>(clashes: readonly C[], question: (clash: C, left: number) => Promise<Reply>): Promise<Answer[]> {
  const answers: Answer[] = [];
  let all: Answer | undefined;
  for (const [at, clash] of clashes.entries()) {
    if (!all) {
      const reply = await question(clash, clashes.length - at);
      answers.push(reply.answer);
      if (reply.all) all = reply.answer;
    } else {
      answers.push(all);
    }
  }
  return answers;
}

// inTurn runs work one after the other: two drops never ask at the same time.
export function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
