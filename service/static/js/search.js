// The search box on every page but the map: a chosen result opens its record, or the place on the map.
import { onFault } from './map/fetching.js';
import { Seek } from './map/seek.js';

if (document.getElementById('seek')) {
  const seek = new Seek((one) => { window.location.href = one.url; });
  onFault((text) => seek.note(text));
}
