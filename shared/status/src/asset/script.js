// Optional: pages work without this script. It adds the reader's local time beside UTC and refreshes an open page.
"use strict";

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

// Adds the local time to each time in UTC.
function localise(root) {
  if (zone === "UTC") return;
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(date);
    time.title = `${local} (${zone})`;
    if (time.dataset.show === "brief") continue;
    const beside = document.createElement("span");
    beside.className = "local";
    beside.textContent = ` ${local} here`;
    time.append(beside);
  }
}

// Fetches the page again and replaces its content. The focus is kept.
async function refresh() {
  const response = await fetch(location.href, { cache: "no-cache" });
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const [fresh, shown] = [page.querySelector("main"), document.querySelector("main")];
  if (!fresh || !shown) return;
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  // Don't replace the page while the reader types or has the figures open.
  if (focused?.matches("input, select") || shown.querySelector("details[open]")) return;
  const address = focused?.getAttribute("href");
  localise(fresh);
  shown.replaceWith(document.adoptNode(fresh));
  document.title = page.title;
  if (address) {
    [...document.querySelectorAll("main a[href]")].find((link) => link.getAttribute("href") === address)?.focus();
  }
}

function setUpRefresh(button) {
  const period = Number(document.body.dataset.refresh) * 1000;
  if (!(period > 0)) return;
  const show = (on) => {
    button.setAttribute("aria-pressed", String(on));
    sessionStorage.setItem("live", String(on));
  };
  const isOn = () => button.getAttribute("aria-pressed") === "true";
  button.hidden = false;
  show(sessionStorage.getItem("live") !== "false");
  button.addEventListener("click", () => show(!isOn()));
  const tick = async () => {
    if (isOn() && document.visibilityState === "visible") {
      // The next refresh tries again.
      await refresh().catch(() => {});
    }
    setTimeout(tick, period);
  };
  setTimeout(tick, period);
}

localise(document);
setUpRefresh(document.getElementById("live"));
