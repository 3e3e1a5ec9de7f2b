// On every page: ? shows what the keyboard does, g and then a letter goes to another page.

const GO_MS = 1500;
const help = document.getElementById('keys');
const typing = (el) => /^(SELECT|TEXTAREA)$/.test(el.tagName) || (el.tagName === 'INPUT' && !/^(checkbox|radio|button)$/.test(el.type)) || el.isContentEditable;
const pages = new Map([...help.querySelectorAll('a[data-letter]')].map((link) => [link.dataset.letter, link.href]));
let going = 0;

function show() {
  const menu = document.querySelector('details.menu[open]');
  if (menu) {
    menu.open = false;
    menu.querySelector('summary').focus();
  }
  help.showModal();
}

document.addEventListener('keydown', (e) => {
  if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
  const asked = Date.now() - going < GO_MS && pages.get(e.key);
  going = 0;
  if (help.open) e.stopPropagation(); // the page below has no part in it
  else if (typing(e.target)) return;
  if (asked) {
    e.preventDefault();
    window.location.href = asked;
  } else if (e.key === 'g') going = Date.now();
  else if (e.key === '?') {
    e.preventDefault();
    if (help.open) help.close();
    else show();
  }
}, true);
document.addEventListener('click', (e) => {
  if (e.target.closest('[data-keys]')) show();
  else if (e.target === help) help.close(); // beside it
});
