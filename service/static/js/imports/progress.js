// A job's progress bar: asks how far it has come, and goes on when it has ended. Hidden tabs ask less often.

const box = document.querySelector('[data-job]');
const bar = box?.querySelector('progress');
const told = box?.querySelector('[data-told]');
const count = box?.querySelector('[data-count]');
const number = new Intl.NumberFormat('zh-CN');

function show(job) {
  if (job.message) told.textContent = job.message;
  if (job.total > 0) {
    bar.max = job.total;
    bar.value = job.done;
    count.textContent = `${number.format(job.done)} / ${number.format(job.total)}`;
  }
}

async function ask() {
  try {
    const answer = await fetch(box.dataset.job, { headers: { Accept: 'application/json' } });
    if (answer.status === 401 || answer.status === 404) return location.replace(box.dataset.after);
    if (answer.ok) {
      const job = await answer.json();
      show(job);
      if (job.state === 'done' || job.state === 'failed') return location.replace(box.dataset.after);
    }
  } catch {
    // the network is away for a moment; the job goes on without us
  }
  setTimeout(ask, document.hidden ? 3000 : 500);
}

if (box) setTimeout(ask, 300);
