// Ticked rows: the bar with their number, all of the page at once, a range with Shift.
export class Ticks {
  constructor(form, bar) {
    this.form = form;
    this.bar = bar;
    if (!form || !bar) return;
    this.boxes = [...form.querySelectorAll('tbody .tick')];
    this.every = form.querySelector('#all');
    this.last = null;
    this.every.addEventListener('change', () => { for (const box of this.boxes) box.checked = this.every.checked; this.tell(); });
    form.addEventListener('click', (e) => this.clicked(e));
    bar.querySelector('#bulk-off').addEventListener('click', () => { for (const box of this.boxes) box.checked = false; this.tell(); });
    const field = bar.querySelector('select[name="field"]');
    form.addEventListener('submit', (e) => {
      field.setCustomValidity('');
      if (!field.value) { e.preventDefault(); field.focus(); field.showPicker?.(); }
    });
    this.tell();
  }

  clicked(e) {
    const box = e.target.closest('tbody .tick');
    if (!box) return;
    const [a, b] = [this.boxes.indexOf(this.last), this.boxes.indexOf(box)];
    if (e.shiftKey && a >= 0) for (let i = Math.min(a, b); i <= Math.max(a, b); i += 1) this.boxes[i].checked = box.checked;
    this.last = box;
    this.tell();
  }

  flip(row) {
    const box = row?.querySelector('.tick');
    if (!box) return;
    box.checked = !box.checked;
    this.last = box;
    this.tell();
  }

  tell() {
    const n = this.boxes.filter((box) => box.checked).length;
    this.bar.classList.toggle('on', n > 0);
    this.bar.querySelector('#bulk-n').textContent = String(n);
    this.every.checked = n > 0 && n === this.boxes.length;
    this.every.indeterminate = n > 0 && n < this.boxes.length;
  }
}
