// The filter: every word must fit, with any of the verdicts chosen. What is filtered for is in the address,
// as #q=WORDS&v=VERDICT,VERDICT&d=1, so that a view can be linked to.
(() => {
  'use strict';
  const form = document.getElementById('filter');
  const search = document.getElementById('q');
  const differs = document.getElementById('d');
  const shown = document.getElementById('shown');
  const chips = [...form.querySelectorAll('input[value]')];
  const items = [...document.querySelectorAll('[data-v]')].map((element) => ({
    element,
    name: element.dataset.text,
    row: element.tagName === 'TR',
    verdicts: element.dataset.v.split('|'),
  }));
  const variants = new Map(items.map((item) => [item.name, { text: item.name, differs: false }]));
  for (const item of items) {
    const variant = variants.get(item.name);
    const shared = item.element.closest('article.case');
    variant.text += ' ' + item.element.textContent + ' ' + (shared ? shared.querySelector('header').textContent : '');
    variant.differs = variant.differs || 'd' in item.element.dataset;
  }
  for (const variant of variants.values()) variant.text = variant.text.toLowerCase();
  const groups = [...document.querySelectorAll('details.group, article.case')];
  const rows = items.filter((item) => item.row).length;

  // join.*/ws/v2 is a pattern for the name, as for --run; anything else is looked for in all that is said.
  function fits(word, name) {
    if (!word.includes('*')) return variants.get(name).text.includes(word);
    const pattern = word.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*');
    return new RegExp('^' + pattern + '$').test(name);
  }

  function apply() {
    const words = search.value.toLowerCase().split(' ').filter(Boolean);
    const verdicts = chips.filter((chip) => chip.checked).map((chip) => chip.value);
    const different = differs !== null && differs.checked;
    const active = words.length > 0 || verdicts.length > 0 || different;
    let count = 0;
    for (const item of items) {
      const wanted = words.every((word) => fits(word, item.name)) &&
        (verdicts.length === 0 || item.verdicts.some((verdict) => verdicts.includes(verdict))) &&
        (!different || variants.get(item.name).differs);
      item.element.hidden = !wanted;
      count += wanted && item.row ? 1 : 0;
    }
    for (const group of groups) {
      const any = group.querySelector('[data-v]:not([hidden])') !== null;
      group.hidden = !any;
      if (group.tagName === 'DETAILS') group.open = active && any;
    }
    shown.value = active ? `${count} of ${rows} variants` : '';
    return { words, verdicts, different };
  }

  function remember() {
    const { words, verdicts, different } = apply();
    const parts = [];
    if (words.length > 0) parts.push('q=' + encodeURIComponent(words.join(' ')));
    if (verdicts.length > 0) parts.push('v=' + encodeURIComponent(verdicts.join(',')));
    if (different) parts.push('d=1');
    history.replaceState(null, '', '#' + parts.join('&'));
  }

  function recall() {
    const hash = location.hash.slice(1);
    if (hash.includes('=')) {
      const wanted = new URLSearchParams(hash);
      const verdicts = (wanted.get('v') || '').split(',');
      search.value = wanted.get('q') || '';
      for (const chip of chips) chip.checked = verdicts.includes(chip.value);
      if (differs !== null) differs.checked = wanted.get('d') === '1';
      apply();
      const first = document.querySelector('article.case:not([hidden])') || document.getElementById('variants');
      if (wanted.has('q')) first.scrollIntoView();
    } else {
      apply();
      const target = hash === '' ? null : document.getElementById(hash);
      if (target !== null && target.tagName === 'DETAILS') {
        target.open = true;
        target.scrollIntoView();
      }
    }
  }

  form.hidden = false;
  form.addEventListener('input', remember);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(remember));
  window.addEventListener('hashchange', recall);
  recall();
})();
