// How things are said in more than one place of the page. Comes in: what the server calls them. Goes out:
// words for people.

/** What a session's mode is called. */
export const modeName = (mode) => (mode === 'teams' ? 'Teams' : 'Free for all');

/** Seconds as a clock shows them. */
export function clockText(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** What a team, 1 to 4, is called. */
export const teamName = (team) => `Team ${team}`;

/** Somebody's name within a sentence: one from right to left does not rearrange the words around it. Where an element
 *  has the name for itself, the style sheet does that. */
export const isolated = (name) => `\u2068${name}\u2069`;

/** `1 kill`, `2 kills`. */
export const counted = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;

/** The longest line of chat that the server takes, bytes of UTF-8. */
const CHAT_BYTES_MAX = 200;

/** Lets no more be typed than fits into a line of chat: inputs count letters, the server bytes. */
export function limitToLine(field) {
  const limit = () => {
    const letters = [...field.value];
    const bytes = () => new TextEncoder().encode(letters.join('')).length;
    if (bytes() <= CHAT_BYTES_MAX) return;
    const caret = field.selectionStart;
    while (bytes() > CHAT_BYTES_MAX) letters.pop();
    field.value = letters.join('');
    field.setSelectionRange(caret, caret);
  };
  // What an input method composes is its own until it is done.
  field.addEventListener('input', (event) => { if (!event.isComposing) limit(); });
  field.addEventListener('compositionend', limit);
}
