// Every text that scripts write. Chosen by <html lang>; Chinese is the default and the fallback.
const ZH = {
  late: '超期', way: '处置中', chk: '待核查', rep: '待受理', done: '已结案',
  all_period: '全部期间', p7: '近7天', p30: '近30天', p90: '近90天', pyear: '今年', span: '{a} 至 {b}', since: '{a} 起', until: '至 {b}',
  open_incidents: '未结事项', incidents: '事项', today: '今天', on_day: '看的是 {day} 的网格与责任', day_chosen: '看哪一天：{day}', month: '{year} 年 {month} 月', begins: '{who}换新界线', to_come: '未到', and: '、', n_communities: '{n} 个社区',
  weekdays: '一 二 三 四 五 六 日', weekday: '周{d}',
  rate_head: '未结事项，件／{unit}', ha: '公顷', km2: '平方公里', zero: '0', below: '不到 {b}', between: '{a} 至 {b}', above: '{a} 以上',
  more_communities: '另有 {n} 个社区',
  no_network: '网络断了，地图停在刚才的样子。',
  failed: '没有读到{what}（{why}）。', grids: '网格', ground: '街道和建筑', frontages: '门前三包', clusters: '事项', places: '场所', faults: '界线问题', chiefs: '街路和河湖林的负责人', audit: '责任检查', nobody: '没有人', answer: '答案', search: '搜索结果', phone: '号码',
  session_over: '登录已过期，请重新登录。', sign_in: '登录', no_hit: '没有找到“{q}”。', searching: '正在找…',
  k_grid: '网格', k_community: '社区', k_person: '人员', k_organisation: '单位', k_frontage: '门店', k_street: '街路', k_place: '场所', k_building: '建筑', k_incident: '事项', k_coordinates: '坐标',
  copy_phone: '复制号码', phone_copied: '号码已复制',
  copied: '链接已复制', copy_this: '复制地址栏里的链接即可', no_position: '没有取到位置。允许定位，或直接点地图。',
  nothing_fits: '没有符合筛选的事项。', clear_filters: '清除筛选',
  many_frontages: '这里门店太多，只画了 {n} 家。再放大看全部。', many_incidents: '这里事项太多，只画了 {n} 件。再放大，或用筛选缩小范围。',
  close: '关闭', fold: '收起图层与图例', unfold: '展开图层与图例',
  source: '数据：{office}', approval: '审图号：{no}', base_failed: '底图读不到，先用无底图。',
};
const EN = {
  late: 'Overdue', way: 'Under way', chk: 'To inspect', rep: 'Reported', done: 'Closed',
  all_period: 'Any time', p7: '7 days', p30: '30 days', p90: '90 days', pyear: 'This year', span: '{a} to {b}', since: 'from {a}', until: 'to {b}',
  open_incidents: 'Open incidents', incidents: 'Incidents', today: 'Today', on_day: 'You see the grids and duties of {day}', day_chosen: 'The day shown: {day}', month: '{year}-{month}', begins: 'new boundaries of {who}', to_come: 'to come', and: ', ', n_communities: '{n} communities',
  weekdays: 'Mon Tue Wed Thu Fri Sat Sun', weekday: '{d}',
  rate_head: 'Open incidents per {unit}', ha: 'ha', km2: 'km²', zero: '0', below: 'under {b}', between: '{a} to {b}', above: '{a} and more',
  more_communities: '{n} more communities',
  no_network: 'No network; the map stays as it was.',
  failed: 'Could not read {what} ({why}).', grids: 'the grids', ground: 'the streets', frontages: 'the frontages', clusters: 'the incidents', places: 'the places', faults: 'the faults', chiefs: 'who answers for streets and waters', audit: 'the audit', nobody: 'nobody', answer: 'the answer', search: 'the results', phone: 'the number',
  session_over: 'Your session has ended. Please sign in again.', sign_in: 'Sign in', no_hit: 'Nothing found for “{q}”.', searching: 'Searching…',
  k_grid: 'Grid', k_community: 'Community', k_person: 'Person', k_organisation: 'Organisation', k_frontage: 'Shop', k_street: 'Street', k_place: 'Place', k_building: 'Building', k_incident: 'Incident', k_coordinates: 'Coordinates',
  copy_phone: 'Copy the number', phone_copied: 'Number copied',
  copied: 'Link copied', copy_this: 'Copy the link from the address bar', no_position: 'No position. Allow location, or tap the map.',
  nothing_fits: 'No incident fits the filter.', clear_filters: 'Clear the filter',
  many_frontages: 'Too many shops here: {n} are drawn. Zoom in to see all.', many_incidents: 'Too many incidents here: {n} are drawn. Zoom in, or narrow the filter.',
  close: 'Close', fold: 'Fold layers and legend', unfold: 'Unfold layers and legend',
  source: 'Data: {office}', approval: 'Map approval: {no}', base_failed: 'The base map cannot be read; shown without.',
};
const chosen = document.documentElement.lang.startsWith('en') ? EN : ZH;

/** The text of `key` with {names} filled in. */
export function say(key, given = {}) {
  return (chosen[key] ?? ZH[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => given[name] ?? '');
}

/** An ISO day as the office writes it: 2026-11-30 周一. */
export function spokenDay(iso) {
  const at = (new Date(`${iso}T00:00:00Z`).getUTCDay() + 6) % 7;
  return `${iso} ${say('weekday', { d: say('weekdays').split(' ')[at] })}`;
}

/** A count as the map writes it: 12,345 becomes 1.2万 (en: 12k). */
export function short(n) {
  if (n < 10000) return n < 1000 || chosen === ZH ? String(n) : `${(n / 1000).toFixed(n < 9950 ? 1 : 0)}k`;
  if (chosen === ZH) return `${(n / 10000).toFixed(n < 99500 ? 1 : 0)}万`;
  return n < 999500 ? `${Math.round(n / 1000)}k` : `${(n / 1e6).toFixed(1)}M`;
}
