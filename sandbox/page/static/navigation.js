// The side bar: Home, channels and direct messages, each a link with the number of unread messages.

import { el, freshId } from "./dom.js";

export const HOME = "home";

// A conversation's name as people read it: "# billing", or the app's name.
export function placeName(channel) {
  return channel.kind === "im" ? channel.name : `# ${channel.name}`;
}

export function drawNavigation(nav, { appName, channels, current, unread }) {
  const focused = nav.contains(document.activeElement) ? document.activeElement.dataset.place : null;
  const entries = (kind) => [...channels.values()].filter((channel) => (channel.kind === "im") === (kind === "im"));
  nav.replaceChildren(
    group(appName, [entry(HOME, "Home", "⌂", current, 0)]),
    group("Channels", entries("channel").map((channel) => entry(channel.id, placeName(channel), null, current, unread(channel.id)))),
    group("Direct messages", entries("im").map((channel) => entry(channel.id, channel.name, "✉", current, unread(channel.id)))),
  );
  if (focused) nav.querySelector(`[data-place="${CSS.escape(focused)}"]`)?.focus();
}

// No region of that name: whoever looks for "Message" by its label means the message box, not "Direct messages".
function group(title, entries) {
  return el("section", {}, el("h2", {}, title), el("ul", {}, entries.map((item) => el("li", {}, item))));
}

function entry(place, name, icon, current, unread) {
  const badgeId = freshId("badge");
  const badge = unread
    ? el("span", { class: "badge" }, el("span", { "aria-hidden": "true" }, unread > 99 ? "99+" : unread), el("span", { class: "unseen", id: badgeId }, `${unread} unread`))
    : null;
  return el(
    "a",
    {
      href: `#${place}`, class: unread ? "unread" : null, "aria-label": name, "aria-describedby": badge ? badgeId : null,
      "aria-current": place === current ? "page" : null, data: { place },
    },
    icon ? el("span", { class: "nav-icon", "aria-hidden": "true" }, icon) : null,
    el("span", { class: "nav-name" }, name),
    badge,
  );
}
