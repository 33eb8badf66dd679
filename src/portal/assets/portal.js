// What makes the portal more comfortable where scripts run. Every page works without it.
'use strict';

// The page preview: zoom by buttons and by + and -, pages by n and p.
const bar = document.querySelector('[data-viewer]');
const sheets = document.querySelector('.sheets');
if (bar !== null && sheets !== null) {
  let zoom = 3;
  const show = () => {
    sheets.className = `sheets zoom-${zoom}`;
  };
  const step = (by) => {
    zoom = Math.min(5, Math.max(1, zoom + by));
    show();
  };
  for (const button of bar.querySelectorAll('[data-zoom]')) {
    button.hidden = false;
    button.addEventListener('click', () => step(button.dataset.zoom === 'in' ? 1 : -1));
  }
  const turn = (by) => {
    const pages = [...sheets.children];
    const line = bar.getBoundingClientRect().bottom + 8;
    const at = pages.findIndex((page) => page.getBoundingClientRect().bottom > line);
    pages[Math.min(pages.length - 1, Math.max(0, (at < 0 ? pages.length - 1 : at) + by))]?.scrollIntoView();
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === '+' || event.key === ';') step(1);
    else if (event.key === '-') step(-1);
    else if (event.key === 'n') turn(1);
    else if (event.key === 'p') turn(-1);
  });
}
