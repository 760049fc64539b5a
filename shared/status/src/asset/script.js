// Optional: pages work without this script. It adds the reader's local time beside UTC, refreshes an open page, says how
// old the page is, and shows tooltips.
"use strict";

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

// Adds the local time to each time in UTC.
function localise(root) {
  if (zone === "UTC") return;
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const format = (style) => new Intl.DateTimeFormat(undefined, style).format(date);
    let local = format({ dateStyle: "medium", timeStyle: "short" });
    time.title = `${local} (${zone})`;
    if (time.dataset.show === "brief") continue;
    if (time.dataset.show === "clock") local = format({ timeStyle: "medium" });
    const beside = document.createElement("span");
    beside.className = "local";
    beside.textContent = ` ${local} here`;
    time.append(beside);
  }
}

// The tag of the content that is shown.
let entityTag = null;

// Fetches the page again and replaces its content, unless that is the same. The focus, open details and a search in progress are kept.
async function refresh() {
  const headers = entityTag ? { "If-None-Match": entityTag } : {};
  // A server that does not answer must not stop the refreshing.
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(location.href, { cache: "no-store", headers, signal });
  if (response.status === 304) return;
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  entityTag = response.headers.get("ETag");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const [fresh, shown] = [page.querySelector("main"), document.querySelector("main")];
  if (!fresh || !shown) return;
  hideTip();
  localise(fresh);
  const isOpen = (details) => details.querySelector("summary")?.textContent;
  const open = new Set([...shown.querySelectorAll("details[open]")].map(isOpen));
  for (const details of fresh.querySelectorAll("details")) details.open ||= open.has(isOpen(details));
  const form = shown.querySelector("form.filter");
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  const freshForm = fresh.querySelector("form.filter");
  if (form?.contains(focused) && freshForm) {
    // Everything around the form is replaced: an element that is moved would lose the focus.
    const around = [...fresh.childNodes].map((node) => document.adoptNode(node));
    const at = around.indexOf(freshForm);
    for (const node of [...shown.childNodes]) if (node !== form) node.remove();
    form.before(...around.slice(0, at));
    form.after(...around.slice(at + 1));
  } else {
    const [tag, address] = [focused?.localName, focused?.getAttribute("href") ?? focused?.textContent];
    shown.replaceWith(document.adoptNode(fresh));
    if (focused) {
      const same = (element) => (element.getAttribute("href") ?? element.textContent) === address;
      [...fresh.querySelectorAll(tag)].find(same)?.focus();
    }
  }
  document.title = page.title;
}

// Refreshes the page, and shows its age: amber after two missed refreshes, a banner after five.
function setUpRefresh(button) {
  const period = Number(document.body.dataset.refresh) * 1000;
  if (!(period > 0)) return;
  const banner = document.getElementById("stale");
  let updated = Date.now();
  // A hidden page is not refreshed: only the time since it is visible counts as missed.
  let visible = Date.now();
  // A refresh would empty a form in progress.
  const isTyping = () => Boolean(document.activeElement?.closest("form.action"));
  const isPressed = () => button.getAttribute("aria-pressed") === "true";
  const isOn = () => isPressed() && !isTyping();
  const show = () => {
    if (isTyping()) updated = Date.now();
    const age = Math.round((Date.now() - updated) / 1000);
    const missed = isOn() ? Math.floor((Date.now() - Math.max(updated, visible)) / period) - 1 : 0;
    button.dataset.age = missed >= 5 ? "lost" : missed >= 2 ? "late" : "fresh";
    button.textContent = isOn() ? `Updated ${age} s ago` : "Updates paused";
    banner.hidden = missed < 5;
    const text = "This page cannot be refreshed: what it shows is old. Checks and notifications are not affected.";
    if (!banner.hidden && banner.textContent !== text) banner.textContent = text;
  };
  const set = (on) => {
    button.setAttribute("aria-pressed", String(on));
    sessionStorage.setItem("live", String(on));
    show();
  };
  button.hidden = false;
  set(sessionStorage.getItem("live") !== "false");
  button.addEventListener("click", () => {
    updated = Date.now();
    set(!isPressed());
  });
  let next = setTimeout(tick, period);
  async function tick() {
    if (isOn() && document.visibilityState === "visible") {
      // The next refresh tries again.
      await refresh().then(() => { updated = Date.now(); }, () => {});
    }
    clearTimeout(next);
    next = setTimeout(tick, period);
  }
  setInterval(show, 1000);
  document.addEventListener("visibilitychange", () => {
    visible = Date.now();
    if (document.visibilityState === "visible") tick();
    show();
  });
}

let tip = null;
function hideTip() {
  tip?.remove();
  tip = null;
  document.querySelector(".tip.at")?.classList.remove("at");
}
function showTip(text, x, y) {
  hideTip();
  tip = document.createElement("div");
  tip.className = "tooltip";
  tip.setAttribute("role", "status");
  tip.textContent = text;
  document.body.append(tip);
  const left = Math.min(Math.max(x - tip.offsetWidth / 2, 4), innerWidth - tip.offsetWidth - 4);
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${y + scrollY - tip.offsetHeight - 8}px`;
}

// The bars of a strip, from its attribute: `24u 98.14 6n`.
function bars(strip) {
  return strip.dataset.bars.split(" ").flatMap((part) => {
    const [, count, kind] = /^(\d+)([nmu])$/.exec(part) ?? [];
    const text = kind === "n" ? "not watched" : kind === "u" ? "100 % up" : kind === "m" ? "maintenance, otherwise up" : `${part} % up`;
    return Array(count ? Number(count) : 1).fill(text);
  });
}
function period(strip, index) {
  const at = new Date(strip.dataset.from);
  if (strip.dataset.unit === "hour") at.setUTCHours(at.getUTCHours() + index);
  else at.setUTCDate(at.getUTCDate() + index);
  const text = at.toISOString();
  return strip.dataset.unit === "hour" ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : text.slice(0, 10);
}
function tipOfStrip(strip, index) {
  const all = bars(strip);
  const at = Math.min(Math.max(index, 0), all.length - 1);
  const box = strip.getBoundingClientRect();
  strip.dataset.at = at;
  showTip(`${period(strip, at)}: ${all[at]}`, box.left + ((at + 0.5) / all.length) * box.width, box.top);
}
function tipOfChart(chart, index) {
  const all = [...chart.querySelectorAll(".tip")];
  if (all.length === 0) return;
  const at = Math.min(Math.max(index, 0), all.length - 1);
  const box = all[at].getBoundingClientRect();
  chart.dataset.at = at;
  showTip(all[at].dataset.tip, box.left + box.width / 2, box.top);
  all[at].classList.add("at");
}

// Tooltips on hover and tap, and with the arrow keys for the focused strip or chart.
function setUpTips() {
  const point = (event) => {
    const strip = event.target.closest?.(".strip[data-bars]");
    if (strip) {
      const box = strip.getBoundingClientRect();
      tipOfStrip(strip, Math.floor(((event.clientX - box.left) / box.width) * bars(strip).length));
      return;
    }
    const chart = event.target.closest?.(".compare");
    if (chart && event.target.matches(".tip")) {
      tipOfChart(chart, [...chart.querySelectorAll(".tip")].indexOf(event.target));
    } else hideTip();
  };
  document.addEventListener("pointermove", point);
  document.addEventListener("pointerdown", point);
  document.addEventListener("focusout", hideTip);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTip();
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const focused = document.activeElement;
    const target = focused?.matches(".compare") ? focused : focused?.querySelector?.(":scope > .strip[data-bars]");
    if (!step || !target || focused === document.body) return;
    event.preventDefault();
    const show = target.matches(".compare") ? tipOfChart : tipOfStrip;
    const last = target.matches(".compare") ? target.querySelectorAll(".tip").length : bars(target).length;
    show(target, target.dataset.at === undefined ? (step < 0 ? last - 1 : 0) : Number(target.dataset.at) + step);
  });
  // A click on a day of a strip leads to that day's incidents.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.history");
    const strip = link?.querySelector(".strip");
    if (strip?.dataset.at) link.hash = `day-${period(strip, Number(strip.dataset.at))}`;
  });
}

localise(document);
setUpRefresh(document.getElementById("live"));
setUpTips();
