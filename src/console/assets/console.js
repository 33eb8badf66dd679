// Charts and fresh numbers by server-sent events; every page works without them.
'use strict';

const charts = document.querySelector('#charts');
const live = document.querySelector('#live');
if (charts !== null && live !== null && typeof uPlot === 'function') {
  const colours = ['#0017c1', '#a14300', '#115a36'];
  const dashes = [[], [6, 4], [2, 3]];
  const format = new Intl.DateTimeFormat(document.documentElement.lang === 'ja' ? 'ja-JP' : 'en-GB', {
    timeZone: 'Asia/Tokyo',
    timeStyle: 'medium',
  });
  const clock = (seconds) => (seconds === null || seconds === undefined ? '' : format.format(seconds * 1000));
  let samples = [];
  charts.hidden = false;
  const plots = [...charts.querySelectorAll('.chart')].map((figure) => {
    const names = figure.dataset.series.split(' ');
    const [time, ...words] = figure.dataset.words.split('|');
    const place = figure.querySelector('.plot');
    const width = () => Math.max(200, place.clientWidth);
    const plot = new uPlot(
      {
        width: width(),
        height: 170,
        cursor: { y: false },
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
        axes: [{ values: (_plot, times) => times.map(clock), space: 90 }, {}],
        series: [
          { label: time, value: (_plot, seconds) => clock(seconds) },
          ...names.map((_name, at) => ({
            label: words[at],
            stroke: colours[at],
            dash: dashes[at],
            width: 2,
            value: (_p, v) => (v === null || v === undefined ? '' : v.toFixed(1)),
          })),
        ],
      },
      [[], ...names.map(() => [])],
      place,
    );
    window.addEventListener('resize', () => plot.setSize({ width: width(), height: 170 }));
    return () =>
      plot.setData([samples.map(({ at }) => at / 1000), ...names.map((name) => samples.map((one) => one[name]))]);
  });
  const draw = () => plots.forEach((show) => show());
  const source = new EventSource(charts.dataset.stream);
  source.addEventListener('history', (event) => {
    samples = JSON.parse(event.data);
    draw();
  });
  source.addEventListener('sample', (event) => {
    samples = [...samples.slice(-359), JSON.parse(event.data)];
    draw();
  });
  // Refused, as when the session is over: the browser does not ask again by itself, and old numbers must not look like new ones.
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) document.querySelector('#stopped').hidden = false;
  });
  // Our own markup, escaped where it was made.
  source.addEventListener('live', (event) => {
    live.innerHTML = JSON.parse(event.data);
  });
}

const all = document.querySelector('[data-all]');
if (all !== null) {
  all.hidden = false;
  all.addEventListener('change', () => {
    for (const box of document.querySelectorAll('input[name="id"]')) box.checked = all.checked;
  });
}
