// A message that arrives elsewhere is announced for a moment; a click goes there.

import { el } from "./dom.js";

const SECONDS = 8;

export function toast(container, { title, body, place, open }) {
  const leave = () => node.remove();
  const go = () => {
    leave();
    open();
  };
  const node = el("button", { type: "button", class: "toast", data: { place }, on: { click: go } }, el("strong", {}, title), el("span", {}, body));
  container.append(node);
  while (container.children.length > 3) container.firstElementChild.remove();
  setTimeout(leave, SECONDS * 1000);
}

// What is being read needs no announcement any more.
export function dropToasts(container, place) {
  for (const node of [...container.children]) if (node.dataset.place === place) node.remove();
}
