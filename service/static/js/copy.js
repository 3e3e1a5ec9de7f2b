/** Buttons that copy what stands in the element that their `data-copy` names. */
const SAID_FOR = 2000;

for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  const word = button.textContent;
  button.hidden = !source;
  button.addEventListener('click', async () => {
    button.textContent = (await copied(source)) ? button.dataset.done : word;
    setTimeout(() => { button.textContent = word; }, SAID_FOR);
  });
}

/** @returns whether the clipboard took it; else the text is selected, to be copied by hand (no clipboard over http) */
async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return false;
  }
}
