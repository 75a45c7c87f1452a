// What was said to all, so that nobody reads it twice. Comes in: lines as they are heard, and the history that the
// server tells to everybody who comes, those who come back included. Goes out: what of a history is new.

/** The most lines of a history. */
const HISTORY_MAX = 20;

/** The last lines that were heard in a session. */
export class Said {
  #heard = [];

  /** Somebody's line to all was heard. */
  hear(name, text) {
    this.#heard = [...this.#heard, keyOf([name, text])].slice(-HISTORY_MAX);
  }

  /** The lines `[name, text]` of a history that come after the last one heard; now they are heard, too. */
  newIn(lines) {
    const fresh = lines.slice(firstNew(this.#heard, lines.map(keyOf)));
    for (const [name, text] of fresh) this.hear(name, text);
    return fresh;
  }
}

/** A line as something that can be compared. */
export const keyOf = (line) => JSON.stringify(line);

/** Where that begins in what is `told` now which comes after all that was `heard`; both are keys, the oldest first. */
// Lines have no numbers. The last one heard is where the longest run ends that ends what was heard: a line that got
// lost on a slow connection makes the run shorter, and the same words said twice do not deceive it.
export function firstNew(heard, told) {
  let [from, longest] = [0, 0];
  for (let end = 1; end <= told.length; end++) {
    let run = 0;
    while (run < end && heard.at(-1 - run) === told[end - 1 - run]) run += 1;
    if (run > longest) [from, longest] = [end, run];
  }
  return from;
}
