// What makes the portal more comfortable where scripts run. Every page works without it.
'use strict';

// The page preview: zoom by buttons and by + and -, pages by n and p.
const bar = document.querySelector('[data-viewer]');
const sheets = document.querySelector('.sheets');
if (bar !== null && sheets !== null) {
  let zoom = 2;
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

// Pages that change by themselves: `/live` says when, the page fetches itself and takes over the parts that differ. Lists of
// pages only grow, so that nothing moves under the reader's eyes. A page nobody looks at lets go of its line.
const main = document.querySelector('main[data-live]');
if (main !== null && 'EventSource' in window) {
  let source;
  let wanted; // what was said last
  let shown; // what the page was last fetched for
  let busy = false;
  let again;
  const grow = (now, next) => {
    const mine = new Map([...now.querySelectorAll('[data-live-grow]')].map((one) => [one.dataset.liveGrow, one]));
    const theirs = [...next.querySelectorAll('[data-live-grow]')];
    if (theirs.some((list) => !mine.has(list.dataset.liveGrow))) {
      now.replaceChildren(...next.childNodes);
      return;
    }
    for (const list of theirs) {
      const known = mine.get(list.dataset.liveGrow);
      for (const page of [...list.children].slice(known.children.length)) known.append(document.importNode(page, true));
    }
  };
  // Nobody is torn away from what he reads: that all of it has come is said, with the way there.
  const say = (place, url) => {
    const link = document.createElement('a');
    link.className = 'button';
    link.href = url;
    link.textContent = place.dataset.ready;
    place.replaceChildren(link);
    source.close();
  };
  // True when there is nothing more to do about what was said.
  const take = async () => {
    const answer = await fetch(location.href, { headers: { 'X-Mugai-By-Itself': '1' } });
    const place = document.querySelector('[data-ready]');
    if (answer.redirected && place !== null && answer.ok && !answer.url.includes('/sign-in')) say(place, answer.url);
    else if (answer.redirected) location.replace(answer.url);
    if (answer.redirected) return true;
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const now of document.querySelectorAll('[data-live-part]')) {
      const next = page.querySelector(`[data-live-part="${now.dataset.livePart}"]`);
      if (next === null || next.innerHTML === now.innerHTML || now.contains(document.activeElement)) continue;
      if ('liveKeep' in now.dataset) grow(now, next);
      else now.replaceChildren(...next.childNodes);
    }
    return true;
  };
  // What is said while the page is being fetched is fetched for afterwards; what failed is tried again.
  const catchUp = () => {
    clearTimeout(again);
    if (busy || document.hidden || wanted === shown) return;
    busy = true;
    const mine = wanted;
    const end = (taken) => {
      busy = false;
      if (taken) shown = mine;
      if (taken) catchUp();
      else again = setTimeout(catchUp, 5000);
    };
    take().then(end, () => end(false)); // the line is gone
  };
  const heard = ({ data }) => {
    wanted = data;
    catchUp();
  };
  const follow = () => {
    source?.close();
    if (document.hidden) return;
    source = new EventSource(`/live?${main.dataset.live}`);
    source.addEventListener('message', heard);
  };
  document.addEventListener('visibilitychange', follow);
  follow();
}
