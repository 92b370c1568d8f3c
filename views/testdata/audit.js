// Looks at a page as it was laid out, and returns what a person at the door would complain about.
// perMM: pixels per millimetre of glass; 0: not a panel.
(perMM) => {
  const wrong = [], W = innerWidth, H = innerHeight, root = document.scrollingElement;
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.className.baseVal ?? e.className ? "." + (e.className.baseVal ?? e.className).split(" ").join(".") : "");
  if (root.scrollWidth > W) wrong.push("scrolls sideways: " + root.scrollWidth + " > " + W);
  if (perMM && root.scrollHeight > H) wrong.push("scrolls: " + root.scrollHeight + " > " + H);
  for (const m of document.querySelectorAll("main")) if (perMM && m.scrollHeight > m.clientHeight) wrong.push("main overflows");

  const buttons = [...document.querySelectorAll("button, a")];
  for (const b of buttons) {
    const r = b.getBoundingClientRect();
    if (perMM) {
      const mm = r.height / perMM, least = b.closest(".is-primary") || document.forms.length === 1 ? 25 : 20;
      if (b.tagName === "BUTTON" && mm < least) wrong.push(name(b) + " is " + mm.toFixed(1) + " mm high, not " + least);
      if (Math.min(r.width, r.height) / perMM < 10) wrong.push(name(b) + " is under 10 mm");
      if (r.bottom > H || r.right > W || r.top < 0 || r.left < 0) wrong.push(name(b) + " is off the glass");
      if (H > W && r.top < H / 2) wrong.push(name(b) + " is out of comfortable reach");
      if (document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2)?.closest("button") !== b) wrong.push(name(b) + " is covered");
    } else if (Math.min(r.width, r.height) < 24) wrong.push(name(b) + " is under 24 px");
  }

  // What of a rectangle can be seen through all the boxes that clip it.
  const seen = (e, r) => {
    let [l, t, w, h] = [r.left, r.top, r.right, r.bottom];
    for (; e; e = e.parentElement) {
      const s = getComputedStyle(e);
      if (s.overflowX === "visible") continue;
      const c = e.getBoundingClientRect();
      [l, t, w, h] = [Math.max(l, c.left), Math.max(t, c.top), Math.min(w, c.right), Math.min(h, c.bottom)];
    }
    return { width: Math.max(0, w - l), height: Math.max(0, h - t) };
  };

  const numbers = (c) => {
    const n = c.match(/[\d.e-]+/g).map(Number), scale = c.startsWith("color(") ? 1 : 255;
    return [n[0] / scale, n[1] / scale, n[2] / scale, n[3] ?? 1];
  };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  // What is behind a text, from the element on that it stands in.
  const ground = (stack) => {
    const c = numbers(getComputedStyle(stack[0]).backgroundColor);
    return c[3] === 1 || stack.length < 2 ? c : over(c, ground(stack.slice(1)));
  };
  const under = (e, x, y) => {
    const all = document.elementsFromPoint(x, y), i = all.indexOf(e);
    if (i >= 0) return all.slice(i);
    for (all.length = 0; e; e = e.parentElement) all.push(e);
    return all;
  };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), texts = [];
  for (let n; (n = walker.nextNode()); ) if (n.data.trim() && n.parentElement.checkVisibility({ visibilityProperty: true })) texts.push(n);
  for (const n of texts) {
    const e = n.parentElement, s = getComputedStyle(e), range = document.createRange(), cut = e.closest(".title, .who, .facts, h1");
    range.selectNodeContents(n);
    const said = name(e) + " “" + n.data.trim().slice(0, 30) + "”";
    for (const r of range.getClientRects()) {
      const v = seen(e, r);
      if (v.height < 1 || v.width < 1) continue;
      if (v.height < r.height * 0.8) wrong.push(said + " is cut off: " + v.height.toFixed() + " of " + r.height.toFixed() + " px");
      if (v.width < r.width - 1 && !cut) wrong.push(said + " is cut off sideways");
      if (perMM && (r.left + v.width > W + 1 || r.top + v.height > H + 1)) wrong.push(said + " is off the glass");
      for (const b of buttons) {
        const box = b.getBoundingClientRect();
        if (!b.contains(n) && r.left < box.right && r.right > box.left && r.top < box.bottom - 1 && r.bottom > box.top + 1) wrong.push(said + " is under " + name(b));
      }
    }
    if (perMM && parseFloat(s.fontSize) / perMM < 3.3) wrong.push(said + " is too small: " + (parseFloat(s.fontSize) / perMM).toFixed(1) + " mm");
    const at = range.getBoundingClientRect(), back = ground(under(e, at.left + at.width / 2, at.top + at.height / 2));
    const c = contrast(over(numbers(s.color), back), back);
    if (c < 7) wrong.push(said + " has a contrast of only " + c.toFixed(2));
  }
  return [...new Set(wrong)];
}
