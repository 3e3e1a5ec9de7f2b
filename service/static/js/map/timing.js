// The moments at which newly read data stood on the screen, as performance marks: `manage bench map` reads them.

/** @param {Object<string, () => number>} subjects mark to the number of answers read so far */
export function markDrawn(board, subjects) {
  const seen = new Map();
  board.after.push(() => {
    for (const [name, read] of Object.entries(subjects)) {
      const count = read();
      if (!count || seen.get(name) === count) continue;
      seen.set(name, count);
      requestAnimationFrame(() => performance.mark(name));
    }
  });
}
