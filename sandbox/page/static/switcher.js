// Ctrl+K or ⌘K: where to go, by some letters of its name.

import { el, freshId, trapTab } from "./dom.js";

// Offers `places`, as {name, about, go}, in a dialog of its own; Escape and a click beside it close it.
export function openSwitcher(places) {
  const before = document.activeElement;
  const list = el("ul", { class: "switcher-places", role: "listbox", id: freshId("places"), "aria-label": "Places" });
  const box = el("input", {
    class: "text-input", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list",
    "aria-label": "Jump to", placeholder: "Jump to a conversation or start something", autocomplete: "off",
  });
  const dialog = el("dialog", { class: "modal switcher", "aria-label": "Jump to" }, box, list);
  let fitting = [];
  let active = 0;

  const close = () => {
    dialog.close();
    dialog.remove();
    before?.focus?.({ preventScroll: true });
  };
  const choose = (place) => {
    close();
    place?.go();
  };
  const activate = (index) => {
    active = index;
    [...list.children].forEach((row, at) => {
      row.classList.toggle("active", at === index);
      row.setAttribute("aria-selected", String(at === index));
    });
    const row = list.children[index];
    if (row?.id) box.setAttribute("aria-activedescendant", row.id);
    else box.removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  };
  const draw = () => {
    const wanted = box.value.trim().toLowerCase();
    fitting = places.filter(({ name }) => name.toLowerCase().includes(wanted));
    list.replaceChildren(...fitting.map((place) => row(place, () => choose(place))));
    if (!fitting.length) list.append(el("li", { class: "muted", role: "option", "aria-disabled": "true" }, "Nothing of that name"));
    activate(0);
  };

  box.addEventListener("input", draw);
  dialog.addEventListener("keydown", (event) => {
    trapTab(dialog, event);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && fitting.length) activate((active + step + fitting.length) % fitting.length);
    else if (event.key === "Enter" && !event.isComposing) choose(fitting[active]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.append(dialog);
  draw();
  dialog.showModal();
  box.focus();
}

function row({ name, about }, choose) {
  return el(
    "li",
    { role: "option", id: freshId("place"), on: { click: choose } },
    el("span", { class: "menu-label" }, name),
    about ? el("span", { class: "menu-description" }, about) : null,
  );
}
