// While a backup is being made the page asks how it stands, and shows the new one when it is there.
const EVERY = 2000;
const BUSY = ['waiting', 'running'];

export function watchBackup() {
  const form = document.getElementById('backup-now');
  if (!form || !BUSY.includes(form.dataset.state)) return;
  const says = document.getElementById('backup-says');
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch('/admin/backups/state', { headers: { Accept: 'application/json' } });
      if (!answer.ok) return;
      const told = await answer.json();
      if (BUSY.includes(told.state)) says.textContent = `${told.words}…`;
      else { window.location.hash = 'backup'; window.location.reload(); }
    } catch { /* asked again */ }
  };
  setInterval(look, EVERY);
}
