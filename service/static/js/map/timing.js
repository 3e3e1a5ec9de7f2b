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

/**
 * The page's own letters come after the map's first picture, or they would be in its way; once the browser keeps them,
 * the page has them from the beginning.
 */
export function letters(board, drawn) {
  const sheet = document.getElementById('letters');
  const bring = () => {
    sheet.media = 'all';
    document.fonts.ready.then(() => { try { localStorage.setItem('letters', '1'); } catch { /* asked for again next time */ } });
  };
  let waiting = true;
  const once = () => { if (waiting) { waiting = false; setTimeout(bring, 30); } };
  board.after.push(() => { if (waiting && drawn()) once(); });
  setTimeout(once, 1500);
}
