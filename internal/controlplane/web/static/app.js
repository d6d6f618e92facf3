// Loads the parts of a page again when something has changed, appends the lines of a log,
// and keeps ages up to date. The page works without it.
"use strict";

const byID = (id) => document.getElementById(id);
const maxLines = 5000; // that a page keeps
const minRefresh = 1000; // milliseconds between two loads of the parts

// Ages, as the function span of the server has them.
function span(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  seconds = Math.max(0, Math.floor(seconds));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ${two(Math.floor(seconds % 3600 / 60))}m`;
  return `${Math.floor(seconds / 86400)}d ${two(Math.floor(seconds % 86400 / 3600))}h`;
}
function updateAges() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-age]")) {
    const text = span((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}
setInterval(updateAges, 1000);

// The parts of the page.
const refresh = { due: 0, running: false, again: false };
function requestRefresh() {
  if (refresh.running || refresh.timer) {
    refresh.again = true;
    return;
  }
  refresh.timer = setTimeout(loadParts, Math.max(0, refresh.due - Date.now()));
}
async function loadParts() {
  refresh.timer = 0;
  refresh.running = true;
  refresh.again = false;
  try {
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.delete("done");
    if (byID("log")) address.searchParams.set("part", "state");
    const response = await fetch(address, { headers: { "Switchyard-Parts": "1" }, redirect: "error" });
    if (response.status === 401) return signedOut();
    if (response.ok) replaceParts(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The server is away: the stream says so, and its return brings the next change.
  } finally {
    refresh.running = false;
    refresh.due = Date.now() + minRefresh;
    if (refresh.again) requestRefresh();
  }
}
function replaceParts(page) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh || fresh.innerHTML === part.dataset.last) continue;
    if (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, button")) continue;
    part.dataset.last = fresh.innerHTML;
    if (fresh.innerHTML === part.innerHTML) continue;
    const open = [...part.querySelectorAll("details")].map((d) => d.open);
    const focus = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    part.replaceChildren(...document.adoptNode(fresh).childNodes);
    part.querySelectorAll("details").forEach((d, i) => { d.open = open[i] || false; });
    if (focus) for (const a of part.querySelectorAll("a")) if (a.getAttribute("href") === focus) { a.focus(); break; }
  }
  updateAges();
}

// The stream. A page that nobody sees has none.
function show(state, text) {
  const link = byID("link");
  if (!link || link.textContent === text) return;
  link.className = `link ${state}`;
  link.textContent = text;
}
function signedOut() {
  location.href = `/signin?next=${encodeURIComponent(location.pathname + location.search)}`;
}
function follow(address, events) {
  let source = null, retry = 0;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(address());
    source.onopen = () => { show("on", "live"); requestRefresh(); };
    source.onerror = () => {
      show("off", "reconnecting…");
      if (source.readyState !== EventSource.CLOSED) return;
      close(); // a response that is no stream: the browser does not try again
      clearTimeout(retry);
      retry = setTimeout(open, 2000);
      requestRefresh();
    };
    source.addEventListener("change", requestRefresh);
    source.addEventListener("signout", signedOut);
    for (const [name, handle] of Object.entries(events)) source.addEventListener(name, handle);
  };
  const close = () => { if (source) source.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
  return () => { close(); document.hidden || show("", ""); };
}
if (document.body.dataset.live) follow(() => document.body.dataset.live, {});

// The log of a job.
const log = byID("log");
if (log) {
  const job = log.dataset.job;
  let next = Number(log.dataset.next);
  const following = byID("follow");
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };

  const lineOf = (line) => {
    const row = document.createElement("div"), number = document.createElement("a"), text = document.createElement("span");
    row.className = "l";
    row.id = `L${line.n}`;
    number.href = `#L${line.n}`;
    number.textContent = line.n;
    text.innerHTML = line.html; // the server has escaped it, and the policy allows no script
    row.append(number, text);
    return row;
  };
  const add = (lines) => {
    const stay = following.checked && atEnd();
    const fresh = document.createDocumentFragment();
    for (const line of lines) {
      const known = byID(`L${line.n}`);
      if (known) known.replaceWith(lineOf(line));
      else fresh.append(lineOf(line));
    }
    log.append(fresh);
    while (log.childElementCount > maxLines) log.firstElementChild.remove();
    byID("log-empty").hidden = log.childElementCount > 0;
    if (stay || log.dataset.fresh) toEnd();
  };

  const mark = () => {
    for (const row of log.querySelectorAll(".at")) row.classList.remove("at");
    const number = /^#L(\d+)$/.exec(location.hash);
    if (!number) return false;
    const row = byID(`L${number[1]}`);
    if (!row) {
      const address = new URL(location.href);
      if (address.searchParams.get("line") !== number[1]) {
        address.searchParams.set("line", number[1]);
        location.replace(address);
      }
      return true;
    }
    row.classList.add("at");
    following.checked = false;
    log.scrollTop = row.offsetTop - log.offsetTop - log.clientHeight / 3;
    return true;
  };
  addEventListener("hashchange", mark);
  const asked = new URLSearchParams(location.search).get("line");
  if (!mark()) {
    if (asked && byID(`L${asked}`)) {
      byID(`L${asked}`).classList.add("at");
      log.scrollTop = byID(`L${asked}`).offsetTop - log.offsetTop - log.clientHeight / 3;
      following.checked = false;
    } else toEnd();
  }
  log.addEventListener("scroll", () => { if (!atEnd() && log.dataset.touched) following.checked = false; });
  for (const event of ["wheel", "touchmove", "keydown"]) log.addEventListener(event, () => { log.dataset.touched = "yes"; }, { passive: true });
  following.addEventListener("change", () => { log.dataset.touched = ""; if (following.checked) toEnd(); });

  const earlier = byID("earlier");
  if (earlier) {
    earlier.addEventListener("click", async (event) => {
      event.preventDefault();
      const first = Number(log.firstElementChild.id.slice(1)), from = Math.max(1, first - 1000), lines = [];
      for (let line = from; line < first;) { // a response has fewer lines if they are long
        const response = await fetch(`/jobs/${job}/lines?from=${line}&count=${first - line}`);
        if (!response.ok) return;
        const part = (await response.json()).lines || [];
        if (part.length === 0) return;
        lines.push(...part);
        line += part.length;
      }
      const before = log.scrollHeight;
      following.checked = false;
      log.prepend(...lines.map(lineOf));
      log.scrollTop += log.scrollHeight - before;
      if (from === 1) earlier.parentElement.remove();
      else earlier.textContent = `Earlier lines (1 to ${from - 1})`;
    });
  }

  if ("follows" in log.dataset) {
    const stop = follow(() => `/jobs/${job}/live?from=${next}`, {
      lines: (event) => {
        add(JSON.parse(event.data));
        next = Number(event.lastEventId);
      },
      end: () => { stop(); requestRefresh(); },
    });
  }
}
