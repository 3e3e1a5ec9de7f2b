// Starts what the page's own script has queued.
for (const [kind, map] of window.steward.queue) console.debug(kind, map);
