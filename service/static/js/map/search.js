// On the map a chosen result is shown there and asked about; what lies nowhere opens its own page.
import { Seek } from './seek.js';

export class Search extends Seek {
  constructor(board, state, panel) {
    super((one) => this.show(one), () => state.on);
    Object.assign(this, { board, panel });
  }

  /** Moves the map to a result and asks there. */
  show(one) {
    if (one.lon === null) { window.location.href = one.url; return; }
    const { map } = this.board;
    const far = this.padding();
    if (one.bbox && one.kind !== 'frontage') {
      const [west, south, east, north] = one.bbox;
      map.fitBounds([[south, west], [north, east]], { ...far, maxZoom: one.kind === 'community' ? 16 : 17.5 });
    } else map.setView([one.lat, one.lon], Math.max(map.getZoom(), 18));
    if (one.kind !== 'community') this.panel.ask(one.lon, one.lat, { focus: false });
  }

  padding() {
    const phone = this.panel.phone.matches;
    return phone ? { paddingTopLeft: [30, 60], paddingBottomRight: [30, Math.round(window.innerHeight * 0.45)] } : { paddingTopLeft: [document.getElementById('legend').classList.contains('shut') ? 30 : 230, 30], paddingBottomRight: [30, 30] };
  }
}
