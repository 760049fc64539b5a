// Nothing needs this: pages are whole without it. It adds the reader's own time beside UTC, and keeps an open page current.
"use strict";

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

// Beside each time in UTC, the same in the reader's zone.
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

// Takes in what the server says now, in place of what stands there; what has the focus keeps it.
async function renew() {
  const response = await fetch(location.href, { cache: "no-cache" });
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const [theirs, ours] = [page.querySelector("main"), document.querySelector("main")];
  if (!theirs || !ours) return;
  const focused = ours.contains(document.activeElement) ? document.activeElement : null;
  // Whoever types or has opened the figures is not disturbed.
  if (focused?.matches("input, select") || ours.querySelector("details[open]")) return;
  const address = focused?.getAttribute("href");
  localise(theirs);
  ours.replaceWith(document.adoptNode(theirs));
  document.title = page.title;
  if (address) {
    [...document.querySelectorAll("main a[href]")].find((link) => link.getAttribute("href") === address)?.focus();
  }
}

function keepCurrent(button) {
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
  const turn = async () => {
    if (isOn() && document.visibilityState === "visible") {
      // The next turn tries again.
      await renew().catch(() => {});
    }
    setTimeout(turn, period);
  };
  setTimeout(turn, period);
}

localise(document);
keepCurrent(document.getElementById("live"));
