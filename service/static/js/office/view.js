// The map's first view: the grids on a small map; what it shows is what is saved.
const SIDES = ['west', 'south', 'east', 'north'];

export async function showView() {
  const { L } = window;
  const box = document.getElementById('view-map');
  if (!L || !box) return;
  const frame = bounds(box.dataset.frame);
  const map = L.map(box, { attributionControl: false, zoomSnap: 0.25, fadeAnimation: false, zoomAnimation: false });
  map.fitBounds(chosen() === 'box' ? bounds(box.dataset.box) : frame);
  const answer = await fetch('/map/grids.geojson');
  if (answer.ok) {
    const style = { color: '#43515D', weight: 1, opacity: 0.7, fillColor: '#74B6E0', fillOpacity: 0.22 };
    L.geoJSON(await answer.json(), { style, interactive: false, renderer: L.canvas() }).addTo(map);
  }
  map.on('moveend', () => { // by hand only: framing the grids moves the map too
    if (!map.byHand) return;
    map.byHand = false;
    document.querySelector('[name="frame"][value="box"]').checked = true;
    fill(map.getBounds());
    look();
  });
  for (const event of ['mousedown', 'wheel', 'touchstart', 'keydown', 'dblclick']) box.addEventListener(event, () => { map.byHand = true; }, { capture: true, passive: true });
  for (const radio of document.querySelectorAll('[name="frame"]')) radio.addEventListener('change', () => { map.byHand = false; if (chosen() === 'grids') map.fitBounds(frame); else fill(map.getBounds()); look(); });
  look();
}

const chosen = () => document.querySelector('[name="frame"]:checked').value;

function look() { document.getElementById('view-map').classList.toggle('idle', chosen() === 'grids'); }

function bounds(text) {
  const [west, south, east, north] = text.split(',').map(Number);
  return [[south, west], [north, east]];
}

function fill(shown) {
  const values = [shown.getWest(), shown.getSouth(), shown.getEast(), shown.getNorth()];
  SIDES.forEach((side, i) => { document.getElementById(`f-${side}`).value = values[i].toFixed(5); });
}
