// The responsibility map in one file: draws what the page's own script has queued. Text is set as text, never as markup.
(() => {
  const [, map, data] = steward.queue.find(([kind]) => kind === 'duties');
  const SVG = 'http://www.w3.org/2000/svg';
  const STREET = [6, 4.5, 3.2, 1.8];
  const LAND = { wood: '#e0ead7', dense_wood: '#d3e1c9', bank: '#e6eddf', park: '#cde0c2', river: '#bcd6e4' };
  const place = (flat) => Array.from({ length: flat.length / 2 }, (_, i) => [data.origin[1] + flat[2 * i + 1] * data.unit, data.origin[0] + flat[2 * i] * data.unit]);
  const rings = (polygon) => polygon.map(place);
  const make = (tag, text, look) => { const one = document.createElement(tag); if (text !== undefined) one.textContent = text; if (look) one.className = look; return one; };

  // ground, below the grids, not clickable
  map.createPane('ground').style.zIndex = 250;
  const canvas = L.canvas({ pane: 'ground', padding: 0.5 });
  const still = { renderer: canvas, pane: 'ground', interactive: false };
  for (const [kind, polygons] of Object.entries(data.ground.areas)) for (const one of polygons) L.polygon(rings(one), { ...still, stroke: false, fillColor: LAND[kind], fillOpacity: 1 }).addTo(map);
  for (const one of data.ground.buildings) L.polygon(place(one), { ...still, color: '#cfc9bc', weight: 0.6, fillColor: '#e1dcd1', fillOpacity: 1 }).addTo(map);
  const streets = data.ground.streets.map(([, level, flat]) => [level, place(flat)]);
  for (const edge of [1, 0]) for (const [level, line] of streets) L.polyline(line, { ...still, color: edge ? '#cfcbc1' : '#fff', weight: STREET[level] + edge * 1.4 }).addTo(map);
  for (const one of data.around) L.polygon(rings(one), { ...still, color: '#8b949c', weight: 1, fillColor: '#fff', fillOpacity: 0.55 }).addTo(map);

  // grids
  map.createPane('grids').style.zIndex = 400;
  const drawing = L.svg({ pane: 'grids', padding: 0.5 }).addTo(map);
  const calm = (grid) => ({ renderer: drawing, pane: 'grids', color: '#2a3843', weight: 1.4, opacity: 1, fillColor: grid.vacant ? 'url(#hatch)' : grid.tint, fillOpacity: grid.vacant ? 0.9 : 0.62 });
  const shapes = data.grids.map((grid) => L.polygon(grid.rings.map(rings), calm(grid)).addTo(map));
  hatch(drawing._container);
  for (const home of data.homes) L.polygon(home.rings.map(rings), { renderer: drawing, pane: 'grids', interactive: false, fill: false, color: '#14202b', weight: 3 }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);

  function hatch(svg) {
    const defs = document.createElementNS(SVG, 'defs');
    const pattern = document.createElementNS(SVG, 'pattern');
    for (const [name, value] of Object.entries({ id: 'hatch', width: 9, height: 9, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' })) pattern.setAttribute(name, value);
    for (const [wide, fill] of [[9, '#fff'], [2, '#58636d']]) { const bar = document.createElementNS(SVG, 'rect'); bar.setAttribute('width', wide); bar.setAttribute('height', 9); bar.setAttribute('fill', fill); pattern.append(bar); }
    defs.append(pattern);
    svg.prepend(defs);
  }

  // labels: as much as the largest circle inside the grid has room for
  map.createPane('tags').style.zIndex = 450;
  const tags = data.grids.map((grid) => L.marker([grid.at[1], grid.at[0]], { pane: 'tags', interactive: false, keyboard: false, icon: L.divIcon({ className: '', html: make('div', undefined, 'tag'), iconSize: [0, 0] }) }).addTo(map));
  function letter() {
    const metres = 40075016.686 * Math.cos((map.getCenter().lat * Math.PI) / 180) / 256 / 2 ** map.getZoom();
    data.grids.forEach((grid, i) => {
      const tag = tags[i].getElement().firstChild;
      const wide = (2 * grid.radius) / metres;
      tag.replaceChildren();
      const lead = grid.vacant ? data.vacant_word : grid.leader || '';
      const size = wide > 130 ? 17 : 14;
      tag.classList.toggle('big', size === 17);
      if (wide < 26) return;
      tag.append(make('span', grid.number));
      if (lead && wide > lead.length * size + 10 && wide > 3 * size) tag.append(make('b', lead, grid.vacant ? 'plate' : ''));
    });
  }
  map.on('zoomend', letter);

  // answer and list
  const answer = document.getElementById('answer');
  const list = document.getElementById('list');
  const find = document.getElementById('find');
  let chosen = -1;
  const person = ([role, name, phone]) => {
    const dd = make('dd');
    dd.append(make('b', name || '已落实'));
    if (phone) { const call = make(phone.includes('*') ? 'span' : 'a', phone); if (call.href !== undefined) call.href = `tel:${phone.replace(/[^\d+]/g, '')}`; dd.append(' ', call); }
    return [make('dt', role), dd];
  };
  function show(i, go) {
    const grid = data.grids[i];
    if (chosen >= 0) shapes[chosen].setStyle(calm(data.grids[chosen]));
    chosen = i;
    shapes[i].setStyle({ color: '#1848c8', weight: 4 }).bringToFront();
    const dl = make('dl');
    if (grid.vacant) dl.append(make('dt', '网格长'), make('dd', data.vacant_word, 'none'));
    for (const one of grid.people) dl.append(...person(one));
    for (const [where, ...one] of data.heads) if (where === grid.community) dl.append(...person(one));
    answer.replaceChildren(make('h2', `${grid.number} ${grid.title}`), make('p', `${grid.community}　${grid.code}　门前三包 ${grid.shops} 家`, 'sub'), dl);
    answer.hidden = false;
    for (const one of list.querySelectorAll('button')) one.setAttribute('aria-pressed', one.dataset.at === String(i));
    if (go) map.fitBounds(shapes[i].getBounds(), { maxZoom: 17.5, padding: [30, 30], animate: false });
  }
  shapes.forEach((shape, i) => shape.on('click', () => show(i, false)));
  const told = data.grids.map((grid) => [grid.code, grid.number, grid.title, grid.community, ...grid.people.flat(), grid.vacant ? data.vacant_word : ''].join(' ').toLowerCase());
  function fill() {
    const words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const hits = data.grids.map((_, i) => i).filter((i) => words.every((word) => told[i].includes(word)));
    list.replaceChildren(...hits.map((i) => {
      const grid = data.grids[i];
      const button = make('button');
      button.type = 'button';
      button.dataset.at = i;
      button.setAttribute('aria-pressed', i === chosen);
      button.append(make('b', grid.number), make('span', data.homes.length > 1 ? `${grid.community} ${grid.title}` : grid.title), make('span', grid.vacant ? data.vacant_word : grid.leader || '', grid.vacant ? 'lead none' : 'lead'));
      button.addEventListener('click', () => show(i, true));
      const item = make('li');
      item.append(button);
      return item;
    }));
    if (!hits.length) list.append(make('li', '没有找到。换一个名字或网格号。', 'quiet'));
  }
  find.addEventListener('input', fill);
  find.addEventListener('keydown', (event) => { if (event.key === 'Enter') list.querySelector('button')?.click(); });
  fill();
  const frame = () => map.fitBounds([[data.bounds[1], data.bounds[0]], [data.bounds[3], data.bounds[2]]], { padding: [16, 16], animate: false });
  frame();
  letter();
})();
