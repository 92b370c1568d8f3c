// Keeps a page live: shows what the server pushes, counts down by the server's clock, sends taps, and
// says so when the connection is gone. It derives no state of its own. The frames are described in
// internal/live/doc.go; the attributes that it looks for are listed in static/README.md.
(function () {
  "use strict";
  const page = document.documentElement, body = document.body;
  const link = document.getElementById("link"), notice = document.getElementById("notice");
  const taps = new Set(); // those on their way, by what they send
  let parts = 0, arrived = () => {}; // how many were shown; called when one was

  // --- The server's clock: it was clock.now when ours was clock.at, and runs at clock.rate.
  let clock = null;
  const ours = () => performance.now();
  const now = () => (clock ? clock.now + (ours() - clock.at) * clock.rate : Date.now());

  // A frame that was under way for longer says an earlier time than it is: the quickest one is right. But
  // clocks drift (follow by 5 ms a frame), and the server's may be set (follow at once).
  function setClock(said, rate) {
    const behind = clock ? (now() - said) / rate : 0;
    if (clock && clock.rate === rate && behind > 0 && behind < 2000) clock.now -= Math.min(behind, 5) * rate;
    else clock = { now: said, at: ours(), rate };
  }

  const formats = new Map(); // by zone
  function timeOfDay(instant, zone) {
    if (!formats.has(zone)) {
      const as = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      let format = new Intl.DateTimeFormat(page.lang || undefined, as);
      try { format = new Intl.DateTimeFormat(page.lang || undefined, { ...as, timeZone: zone }); } catch { /* a zone newer than this browser */ }
      formats.set(zone, format);
    }
    return formats.get(zone).format(instant);
  }

  function timeLeft({ countdown, seconds, minutes, hours, past }) {
    const s = Math.ceil((Date.parse(countdown) - now()) / 1000), m = Math.ceil(s / 60);
    if (s <= 0) return past ?? "";
    if (s < 60) return (seconds ?? "").replace("{n}", s);
    if (m < 60 || !hours) return (minutes ?? "").replace("{n}", m);
    return hours.replace("{h}", Math.floor(m / 60)).replace("{n}", m % 60);
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function showTime() {
    if (!clock) return; // what the server wrote is truer than this machine's clock
    const cut = body.classList.contains("is-cut"); // then nobody knows whether it still comes to that
    if (!cut) for (const e of document.querySelectorAll("[data-countdown]")) setText(e, timeLeft(e.dataset));
    for (const e of document.querySelectorAll("[data-clock]")) setText(e, timeOfDay(now(), e.dataset.clock));
    for (const e of document.querySelectorAll("[data-now]")) {
      const start = Date.parse(e.dataset.start), end = Date.parse(e.dataset.end);
      const done = Math.min(1, Math.max(0, (now() - start) / (end - start))).toFixed(4);
      if (e.style.getPropertyValue("--now") !== done) e.style.setProperty("--now", done);
    }
  }

  // --- Parts of the page.
  function morph(element, html) {
    // What is being typed stays. (Of any other element that has the focus it would keep the whole content.)
    const ignoreActiveValue = document.activeElement?.matches("input, textarea") ?? false;
    Idiomorph.morph(element, html, { morphStyle: "outerHTML", ignoreActiveValue });
    showTime();
    showTaps();
  }

  function receive(frame) {
    heard = ours();
    if (frame.type === "part") {
      const element = document.getElementById(frame.id);
      parts++;
      if (element) morph(element, frame.html);
      arrived();
    } else {
      setClock(frame.now, frame.rate ?? clock.rate);
      if (frame.type === "hello") welcome(frame);
      showTime();
      report();
      renew(frame.build);
    }
    seen = now();
  }

  // --- The connection.
  let socket = null, retry = 0, lost = 0; // lost: of our clock; so far back goes the outage
  let beat = 15000, heard = ours(), since = Infinity; // of our clock: the last sign of life, the hello
  let seen = Date.now(); // the last frame, by the server's clock

  function connect() {
    clearTimeout(retry);
    if (socket) socket.onclose = socket.onmessage = null, socket.close();
    const url = new URL(body.dataset.live, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    heard = ours();
    socket = new WebSocket(url);
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = lose;
  }

  function welcome(frame) {
    beat = frame.beat;
    since = ours();
    body.classList.remove("is-cut");
    link.hidden = true;
  }

  // A panel says that it is alive once it has painted: the second callback comes when the first one's frame was made.
  // There is none on a page that nobody can see, and one that is late doesn't make up for the beats that it missed.
  let painting = false, reported = -Infinity;
  function report() {
    if (body.dataset.view !== "panel" || painting || ours() - reported < beat / 2) return;
    painting = true;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      painting = false;
      reported = ours();
      if (socket?.readyState === WebSocket.OPEN) socket.send('{"type":"alive"}');
    }));
  }

  // Jitter: after a restart of the server its pages don't all come back at once. The waits grow with the outage, so
  // that after one of ten seconds all are back within five; a second of connection makes up for two without.
  function lose() {
    if (since < Infinity) lost = Math.min(ours(), lost + 2 * (ours() - since));
    since = Infinity;
    if (socket) socket.onclose = socket.onmessage = null, socket.close();
    socket = null;
    clearTimeout(retry);
    retry = setTimeout(connect, Math.random() * Math.min(30000, Math.max(500, (ours() - lost) / 2)));
    if (body.classList.contains("is-cut")) return;
    const zone = document.querySelector("[data-clock]")?.dataset.clock;
    link.textContent = link.dataset.text.replace("{time}", timeOfDay(seen, zone));
    link.hidden = false;
    body.classList.add("is-cut");
  }

  function hurry() {
    if (!document.hidden && socket?.readyState !== WebSocket.OPEN) connect();
  }

  // --- One timer for everything, on the full second of the server's clock.
  let offset = Date.now() - ours();
  function tick() {
    const slept = Math.abs(Date.now() - ours() - offset) > 5000; // our clock stands still while a machine sleeps
    offset = Date.now() - ours();
    if (socket && (slept || ours() - heard > 2 * beat + 5000)) lose();
    showTime();
    setTimeout(tick, clock ? Math.max(200, (1000 - (now() % 1000)) / clock.rate + 5) : 1000);
  }

  // --- Requests.
  async function ask(url, options) {
    const patience = new AbortController(), timer = setTimeout(() => patience.abort(), 10000);
    try {
      const answer = await fetch(url, { ...options, cache: "no-store", signal: patience.signal });
      return { ok: answer.ok, text: await answer.text() };
    } finally {
      clearTimeout(timer);
    }
  }

  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  // Another build of the server: its pages may not fit its frames. Not twice a minute, not during a tap, and
  // not into an error page, which would never come back.
  async function renew(build) {
    if (!build || !page.dataset.build || build === page.dataset.build || taps.size) return;
    if (Math.abs(Date.now() - Number(sessionStorage.getItem("renewed"))) < 60000) return;
    sessionStorage.setItem("renewed", Date.now());
    const answer = await ask(location.href).catch(() => null);
    if (!answer?.ok) return;
    if (taps.size) sessionStorage.removeItem("renewed"); // at the next beat, then
    else location.reload();
  }

  // --- Taps.
  const bodyOf = (form) => new URLSearchParams(new FormData(form)).toString();
  const keyOf = (form) => form.getAttribute("action") + "?" + bodyOf(form);

  // A press shows at once, and survives the parts that arrive before the tap is through.
  function showTaps() {
    for (const form of document.querySelectorAll("form[data-tap]")) {
      const button = form.querySelector("button"), sent = taps.has(keyOf(form));
      if (!button || button.classList.contains("is-sent") === sent) continue;
      button.classList.toggle("is-sent", sent);
      if (sent) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
    }
  }

  async function tap(form) {
    const key = keyOf(form), before = parts;
    if (taps.has(key)) return;
    taps.add(key);
    showTaps();
    const rest = sleep(700);
    const headers = { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" };
    const answer = await ask(form.getAttribute("action"), { method: "POST", body: bodyOf(form), headers }).catch(() => null);
    if (answer?.ok) await effect(before);
    else tell(reasonOf(answer));
    await rest;
    taps.delete(key);
    showTaps();
  }

  // Waits until the tap shows. Without a connection, the page itself says what became of it.
  async function effect(before) {
    if (parts === before) await Promise.race([sleep(1500), new Promise((done) => { arrived = done; })]);
    if (parts !== before) return;
    const answer = await ask(location.href).catch(() => null);
    if (!answer?.ok || parts !== before) return;
    const fresh = new DOMParser().parseFromString(answer.text, "text/html").querySelector("main");
    if (fresh) morph(document.querySelector("main"), fresh);
  }

  function reasonOf(answer) {
    try {
      const problem = JSON.parse(answer.text);
      return problem.detail || problem.title || notice.dataset.unreachable;
    } catch {
      return notice.dataset.unreachable;
    }
  }

  let hiding = 0;
  function tell(text) {
    notice.textContent = text;
    notice.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { notice.hidden = true; }, 8000);
  }

  // --- Glass on a wall is no desktop: no menus, no dragging, no zooming with two fingers.
  function guard() {
    const prevent = (event) => event.preventDefault();
    for (const kind of ["contextmenu", "dragstart", "selectstart"]) document.addEventListener(kind, prevent);
    document.addEventListener("wheel", (event) => { if (event.ctrlKey) prevent(event); }, { passive: false });
    document.addEventListener("touchmove", (event) => { if (event.touches.length > 1) prevent(event); }, { passive: false });
  }

  // What a tap changes comes to stand under the same finger: the second half of a double tap must not
  // release what the first checked in to.
  let resting = 0;
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-tap]")) return;
    event.preventDefault();
    if (body.classList.contains("is-resting")) return;
    body.classList.add("is-resting");
    clearTimeout(resting);
    resting = setTimeout(() => body.classList.remove("is-resting"), 1200);
    tap(event.target);
  });
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  if (body.dataset.view === "panel") guard();
  connect();
  tick();
})();
