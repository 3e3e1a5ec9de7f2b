// Plain pages: numbers that are asked for one by one, and printing.
import { reveals } from './detail/reveal.js';

reveals(document.body);
for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}
