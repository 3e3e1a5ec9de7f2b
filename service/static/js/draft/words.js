// Every text that the scripts of drawing write. Chosen by <html lang>; Chinese is the default and the fallback.
const ZH = {
  comma: '、', ha: '{n} 公顷', m2: '{n} m²', none: '—', vacant: '空缺', changed: '改过', new: '新的', grid_n: '{n} 个网格',
  grid: '网格', special: '专属网格', micro_grid: '微网格', gap: '空隙', overlap: '重叠', overhang: '出界', piece: '这一块', apart: '不相邻', covered: '整格盖住', outside: '社区外面', community: '别的社区',
  save: '保存', cancel: '不了', again: '重画', finish: '画完了', back_one: '退一点', restore: '恢复原样', anew: '另画一条', saving: '正在保存…', close: '放下工具', fold: '收起工具', unfold: '展开工具',
  undone: '已撤销', last: '第 {n} 步 {who} {at}', no_step: '还没有改动', read_only: '这份草稿只能看，不能改。',
  no_network: '网络断了，没有保存。你画的还在，连上后再按一次。', session_over: '登录已过期。请在另一页登录，再按一次保存，你画的还在。', failed: '没有保存：{why}',
  hint_split: '先点要拆的网格。', hint_split_line: '从 {name} 的一边外画到另一边外，双击或按“画完了”结束。', hint_split_done: '线画好了，可以拖动拐点再调。按回车保存。',
  hint_merge: '点要合并的网格，再点一次取消。', hint_border: '点两个网格之间的边。', hint_border_line: '拖动 {a} 和 {b} 之间的拐点；线中间的小点拖开就多一个拐点。按回车保存。',
  hint_border_anew: '从边的一头画到另一头，双击或按“画完了”结束。', hint_reshape: '先点要改的网格。', hint_reshape_line: '拖动 {name} 的拐点；占到的从邻格让出，让出的归邻格。按回车保存。',
  hint_draw: '选类型，在地图上一点一点画一圈，回到第一点或按“画完了”。', hint_draw_done: '画好了，可以拖动拐点再调。按回车保存。',
  hint_name: '先点要改的网格。', hint_facts: '先点要改的网格。', hint_assign: '点或勾选网格，再选职务和人，从新版生效那天起。', hint_edit: '改好按保存，新版生效时一起换；要改别的网格就点它。',
  keep: '哪一块保留原编码', keep_larger: '大的一块', keep_first: '线左边一块', keep_second: '线右边一块', new_name: '新网格的名称', new_code: '新网格的编码', auto: '自动',
  keep_code: '保留谁的编码和名称', kind: '类型', name: '名称', code: '编码', households: '户数', population: '人口', notes: '备注', replace: '可以整格换掉下面的网格', clear: '清空',
  whole_codes: '整个社区按从西到东、从北到南重编', whole_none: '现在的编码已经合顺序。', recode_all: '按这个重编 {n} 格', nothing_changed: '没有改动。',
  role: '职务', person: '人员', person_hint: '输入姓名或拼音', until: '到哪一天（不填：一直）', no_person: '没有找到这个人。先在人员里登记。', from_day: '从新版生效那天起', choose_person: '先选一个人。', choose_grid: '先选网格。',
  as_before: '沿用原来的人', remove: '取消', planned: '计划', leader: '网格长', origin_same: '沿用 {code}', origin_moved: '原编码 {code}', origin_new: '从 {codes} 分出', origin_drawn: '新画的',
  estimated: '按面积估的，填准了再发布', area: '面积', zoom_to: '看这里', parent: '属于 {code}',
  vacant_list: '没有网格长的网格', all_held: '每个网格都有网格长。', planned_list: '计划好的责任', no_plans: '还没有计划。发布前给新网格定好人，用“指派”。', assign_these: '给这 {n} 格指派', copy_all: '这些新网格沿用原来的人',
  no_faults: '没有界线问题：网格正好铺满社区。', fault_words: '{kind} {area}', inherited: '导入时就有', give_to: '给', cut_to: '划给', mend: '修补', mend_overhang: '切掉', refused: '没有保存，红处是原因', refused_clear: '收起红处',
  refused_advice: '你画的还在，改一改再按保存。', no_border: '这里没有两格共用的边。靠近边线再点一次。', one_border: '{a} 和 {b} 的边', line_short: '线至少要两点。', ring_short: '至少要三点。',
  conflict: '别人刚才保存了', conflict_words: '图上黄框是他改的。你画的还在：看一眼，再按一次保存。', conflict_more: '图上黄框是他改的。再做一次你的步骤。', seen: '知道了', semicolon: '；', newer: '{who} 改了这份草稿：{what}。', newer_more: '共 {n} 步。', load_newer: '载入最新的', newer_loaded: '已载入最新的。黄框是别人改的。', newer_kept: '已载入最新的。黄框是别人改的；你画的还在。',
  removed: '删掉了 {codes}', saved: '已保存：{words}', picked_n: '选了 {n} 格', grids_gone: '不再有的：{codes}', search: '找网格', warning: '要知道的',
  begin_failed: '没有开始：{why}', choose_home: '先选社区。', choose_day: '先选生效的日子', withdrawn: '已撤回。',
  what: '变化', state: '状态', incident: '事项', estimate: '估', before: '发布前', changed_grids: '变了的网格', no_changes: '和原来一样，没有可发布的。', holds_from: '{day} 起生效', accept_faults: '知道了，带着问题发布', over_newer: '仍按这份草稿发布',
  t_new: '新增网格', t_gone: '不再有', t_changed: '界线变了', t_ended: '责任结束', t_planned: '新定的责任', t_vacant: '没有网格长', t_incidents: '未结事项换人负责',
  c_new: '新增', c_gone: '不再有', c_changed: '界线变了', c_renamed: '改名', c_recoded: '改编码', c_kind: '改类型', c_attributes: '改户数、人口或备注', c_parent: '换上级网格',
  d_ended: '没有了对象、到那天结束的责任', d_moved: '跟着网格改编码的责任', d_planned: '那天开始的责任', d_vacant: '那天起没有网格长的网格', d_incidents: '换人负责的未结事项', d_faults: '还没修补的界线问题', d_later: '以后还有新的一版', later_words: '{days} 起的一版到时会接着换上，它不含这份草稿的改动。', ends_on: '到 {day}', and_more: '还有 {n} 件没有列出。', go_assign: '回到草稿指派',
};
const EN = {
  comma: ', ', ha: '{n} ha', m2: '{n} m²', none: '—', vacant: 'vacant', changed: 'changed', new: 'new', grid_n: '{n} grids',
  grid: 'grid', special: 'special grid', micro_grid: 'micro-grid', gap: 'gap', overlap: 'overlap', overhang: 'overhang', piece: 'this piece', apart: 'not adjoining', covered: 'wholly covered', outside: 'outside the community', community: 'another community',
  save: 'Save', cancel: 'Cancel', again: 'Draw again', finish: 'Finish', back_one: 'One point back', restore: 'As it was', anew: 'Another line', saving: 'Saving…', close: 'Put the tool down', fold: 'Fold the tools', unfold: 'Unfold the tools',
  undone: 'undone', last: 'Step {n} {who} {at}', no_step: 'No change yet', read_only: 'You can read this draft, not change it.',
  no_network: 'No network, nothing was saved. Your drawing is kept; try again when connected.', session_over: 'Your session has ended. Sign in on another page and save again; your drawing is kept.', failed: 'Not saved: {why}',
  hint_split: 'Click the grid to split.', hint_split_line: 'Draw from outside one side of {name} to outside another; double-click or “Finish” ends.', hint_split_done: 'The line is drawn; its points can be dragged. Enter saves.',
  hint_merge: 'Click the grids to merge; click again to leave one out.', hint_border: 'Click the border between two grids.', hint_border_line: 'Drag the points between {a} and {b}; a small point in between makes a new one. Enter saves.',
  hint_border_anew: 'Draw from one end of the border to the other; double-click or “Finish” ends.', hint_reshape: 'Click the grid to change.', hint_reshape_line: 'Drag the points of {name}; neighbours give what it takes and take what it gives. Enter saves.',
  hint_draw: 'Choose the kind and draw around it point by point; end at the first point or with “Finish”.', hint_draw_done: 'Drawn; its points can be dragged. Enter saves.',
  hint_name: 'Click the grid to change.', hint_facts: 'Click the grid to change.', hint_assign: 'Click or tick grids, then choose a role and a person, from the day of the new edition.', hint_edit: 'Change and save; it takes effect with the new edition. Click another grid to change that one.',
  keep: 'Which piece keeps the code', keep_larger: 'the larger', keep_first: 'left of the line', keep_second: 'right of the line', new_name: 'Name of the new grid', new_code: 'Code of the new grid', auto: 'automatic',
  keep_code: 'Whose code and name stay', kind: 'Kind', name: 'Name', code: 'Code', households: 'Households', population: 'Population', notes: 'Notes', replace: 'May replace a whole grid below', clear: 'Clear',
  whole_codes: 'Number the whole community west to east, north to south', whole_none: 'The codes are in order already.', recode_all: 'Recode {n} grids', nothing_changed: 'Nothing was changed.',
  role: 'Role', person: 'Person', person_hint: 'Name or pinyin', until: 'Until (empty: open)', no_person: 'Nobody found. Register the person first.', from_day: 'from the day of the edition', choose_person: 'Choose a person.', choose_grid: 'Choose grids.',
  as_before: 'People as before', remove: 'Remove', planned: 'planned', leader: 'Leader', origin_same: 'continues {code}', origin_moved: 'was {code}', origin_new: 'cut from {codes}', origin_drawn: 'newly drawn',
  estimated: 'estimated by area; enter the figure before publishing', area: 'Area', zoom_to: 'Show', parent: 'within {code}',
  vacant_list: 'Grids without a leader', all_held: 'Every grid has a leader.', planned_list: 'Planned duties', no_plans: 'None yet. Give new grids their people before publishing, with “Assign”.', assign_these: 'Assign these {n}', copy_all: 'People as before for the new grids',
  no_faults: 'No faults: the grids tile the community exactly.', fault_words: '{kind} {area}', inherited: 'came with the import', give_to: 'Give to', cut_to: 'Cut to', mend: 'Mend', mend_overhang: 'Cut off', refused: 'Not saved; red shows why', refused_clear: 'Hide the red',
  refused_advice: 'Your drawing is kept: change it and save again.', no_border: 'No border of two grids here. Click closer to the line.', one_border: 'border of {a} and {b}', line_short: 'A line needs two points.', ring_short: 'Three points are needed.',
  conflict: 'Somebody has just saved', conflict_words: 'What was changed is framed in amber. Your drawing is kept: look, then save again.', conflict_more: 'What was changed is framed in amber. Do your step again.', seen: 'Understood', semicolon: '; ', newer: '{who} has changed this draft: {what}.', newer_more: ' {n} steps in all.', load_newer: 'Load the new state', newer_loaded: 'Loaded. What others changed is framed in amber.', newer_kept: 'Loaded. What others changed is framed in amber; your drawing is kept.',
  removed: '{codes} removed', saved: 'Saved: {words}', picked_n: '{n} grids chosen', grids_gone: 'No more: {codes}', search: 'Find a grid', warning: 'To know',
  begin_failed: 'Not begun: {why}', choose_home: 'Choose a community.', choose_day: 'Choose the day first', withdrawn: 'Taken back.',
  what: 'What changes', state: 'State', incident: 'Incident', estimate: 'est.', before: 'Before publishing', changed_grids: 'Grids that change', no_changes: 'The same as before; nothing to publish.', holds_from: 'in force from {day}', accept_faults: 'Understood, publish with them', over_newer: 'Publish this draft all the same',
  t_new: 'new grids', t_gone: 'no more', t_changed: 'new boundaries', t_ended: 'duties end', t_planned: 'new duties', t_vacant: 'without leader', t_incidents: 'open incidents change hands',
  c_new: 'new', c_gone: 'no more', c_changed: 'boundary', c_renamed: 'name', c_recoded: 'code', c_kind: 'kind', c_attributes: 'figures or notes', c_parent: 'parent grid',
  d_ended: 'Duties that lose their subject and end', d_moved: 'Duties that follow a new code', d_planned: 'Duties that begin', d_vacant: 'Grids without a leader from that day', d_incidents: 'Open incidents that change hands', d_faults: 'Faults not mended', d_later: 'Later editions', later_words: 'The edition of {days} follows then; it has none of this draft.', ends_on: 'until {day}', and_more: '{n} more are not listed.', go_assign: 'Back to the draft to assign',
};
const chosen = document.documentElement.lang.startsWith('en') ? EN : ZH;

/** The text of `key` with {names} filled in. */
export function word(key, given = {}) {
  return (chosen[key] ?? ZH[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => given[name] ?? '');
}

/** An ISO day as the office writes it: 2026-11-30 周一. */
export function spokenDay(iso) {
  const at = new Date(`${iso}T00:00:00Z`);
  return `${iso} ${at.toLocaleDateString(document.documentElement.lang, { weekday: 'short', timeZone: 'UTC' })}`;
}

/** An area in m² as the office writes it. */
export function area(m2) {
  return m2 >= 1000 ? word('ha', { n: (m2 / 1e4).toFixed(2) }) : word('m2', { n: m2 < 10 ? m2.toFixed(2) : Math.round(m2) });
}

/** The last three digits of a 15-digit code; other codes whole. */
export const short = (code) => (/^\d{15}$/.test(code) ? code.slice(-3) : code);

/** A moment as the office writes it, in Shanghai: 11-25 09:30. */
export function moment(iso) {
  const parts = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(new Date(iso));
  const at = Object.fromEntries(parts.map((part) => [part.type, part.value]));
  return `${at.month}-${at.day} ${at.hour}:${at.minute}`;
}
