// What becomes of things whose name is taken where they go.

export type Answer = 'replace' | 'keep' | 'skip';

export interface Reply {
  answer: Answer;
  all: boolean; // for the others too
}

// same is the form in which the server compares names.
export const same = (name: string): string => name.normalize('NFC');

// settle asks about each clash in turn, until one answer is for all. "Replace" for all leaves out
// what cannot be replaced: that has an answer of its own. The answers come by the place of the
// clash.
export async function settle<C>(clashes: readonly C[], question: (clash: C, left: number) => Promise<Reply>, replaceable: (clash: C) => boolean): Promise<Answer[]> {
  const answers: Answer[] = [];
  let all: Answer | undefined;
  let rest: Answer | undefined; // of what cannot be replaced
  const known = (clash: C) => (all === 'replace' && !replaceable(clash) ? rest : all);
  for (const [at, clash] of clashes.entries()) {
    let answer = known(clash);
    if (!answer) {
      const reply = await question(clash, clashes.slice(at).filter((c) => !known(c)).length);
      answer = reply.answer;
      if (reply.all && all) rest = answer;
      else if (reply.all) all = answer;
    }
    answers.push(answer);
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
