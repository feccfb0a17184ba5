// A small menu under a button, for the shortcuts and for overflow elements.

import { el, freshId } from "./dom.js";
import { anchor, floor } from "./popup.js";

// Opens a menu of {label, description, choose}; arrow keys move, Escape closes, the button gets the focus back.
export function openMenu(button, items) {
  const menu = el("div", { class: "popup menu", role: "menu", "aria-label": button.getAttribute("aria-label") ?? button.textContent.trim() });
  const close = (refocus = true) => {
    menu.remove();
    release();
    document.removeEventListener("pointerdown", outside, true);
    button.setAttribute("aria-expanded", "false");
    if (refocus) button.focus();
  };
  const outside = (event) => {
    if (!menu.contains(event.target) && event.target !== button) close(false);
  };
  for (const item of items) menu.append(entry(item, close));
  floor(button).append(menu);
  button.setAttribute("aria-expanded", "true");
  const release = anchor(menu, button);
  document.addEventListener("pointerdown", outside, true);
  menu.addEventListener("keydown", (event) => moveOrClose(event, menu, close));
  menu.firstElementChild?.focus();
  return menu;
}

function entry(item, close) {
  const described = item.description ? freshId("about") : null;
  const label = freshId("item");
  return el(
    "button",
    {
      type: "button", role: "menuitem", tabindex: "-1", "aria-labelledby": label, "aria-describedby": described,
      on: {
        click: () => {
          close();
          item.choose();
        },
      },
    },
    el("span", { id: label, class: "menu-label" }, item.label),
    described ? el("span", { id: described, class: "menu-description" }, item.description) : null,
  );
}

function moveOrClose(event, menu, close) {
  const entries = [...menu.children];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const index = entries.indexOf(document.activeElement) + step;
    entries[(index + entries.length) % entries.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.stopPropagation();
    close();
  } else {
    return;
  }
  event.preventDefault();
}
