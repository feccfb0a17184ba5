// Selects of every kind, as a text box with a list of options: type to narrow, arrows to move, Enter to choose.

import { el, freshId } from "./dom.js";
import { marks, perform } from "./elements.js";
import { anchor, floor } from "./popup.js";
import { directory, plainText } from "./text.js";

const DEBOUNCE_MS = 150;
const SLACK_MIN_QUERY = 3;

export function combobox(element, at) {
  return new Combobox(element, at).root;
}

class Combobox {
  constructor(element, at) {
    this.element = element;
    this.at = at;
    this.several = element.type.startsWith("multi_");
    this.kind = element.type.replace("multi_", "").replace("_select", "");
    this.asked = 0;
    this.active = -1;
    this.shown = [];
    this.known = new Map();
    const placeholder = plainText(element.placeholder) || (this.kind === "external" ? "Type to search" : "Choose an option");
    this.input = el("input", {
      type: "text", role: "combobox", id: at.controlId, class: "text-input", placeholder, autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-describedby": at.describedBy,
      "aria-label": at.controlId ? null : (at.label ?? placeholder), data: marks(element, at),
    });
    this.chips = this.several ? el("div", { class: "chips" }) : null;
    this.root = el("div", { class: "combobox" }, this.chips, this.input, el("span", { class: "caret", "aria-hidden": "true" }, "▾"));
    this.#listen();
    this.#settle();
  }

  #listen() {
    this.input.addEventListener("input", () => this.#open(this.input.value));
    // Taking a chip away isn't leaving the box; leaving would draw the chips anew under the click.
    this.chips?.addEventListener("mousedown", (event) => event.preventDefault());
    this.input.addEventListener("click", () => (this.list ? null : this.#open("")));
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("blur", () => {
      this.#close();
      this.#settle();
    });
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.root.querySelector(".caret").addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.input.focus();
      if (this.list) this.#close();
      else this.#open("");
    });
  }

  get value() {
    return this.at.surface.value(this.at.block, this.element);
  }

  // Shows what is chosen, as it stands without the keyboard in it.
  #settle() {
    if (this.several) {
      this.input.value = "";
      this.chips.replaceChildren(...(this.value ?? []).map((value) => this.#chip(value)));
    } else {
      this.input.value = this.value ? this.#labelOf(this.value) : "";
    }
  }

  #chip(value) {
    const label = this.#labelOf(value);
    const drop = () => this.#commit((this.value ?? []).filter((other) => other !== value));
    const button = el("button", { type: "button", class: "chip-remove", "aria-label": `Remove ${label}`, on: { click: drop } }, "×");
    return el("span", { class: "chip" }, label, button);
  }

  #labelOf(value) {
    const found = this.known.get(value) ?? this.#ownOptions().find((option) => option.value === value);
    const chosen = this.at.surface.chosenOption(this.at.block, this.element);
    const initial = (this.element.initial_options ?? []).find((option) => option.value === value);
    return plainText(found?.text ?? initial?.text ?? (chosen?.value === value ? chosen.text : null)) || value;
  }

  // Options that need no question to the app, flattened; each may carry the label of its group.
  #ownOptions() {
    const { options, option_groups: groups } = this.element;
    if (this.kind === "users") return people();
    if (this.kind === "channels" || this.kind === "conversations") return conversations();
    return options ?? flatten(groups ?? []);
  }

  async #open(query) {
    if (!this.list) this.#show();
    if (this.kind !== "external") {
      const wanted = query.trim().toLowerCase();
      this.#fill(this.#ownOptions().filter((option) => plainText(option.text).toLowerCase().includes(wanted)));
      return;
    }
    this.asked += 1;
    const least = this.element.min_query_length ?? SLACK_MIN_QUERY;
    if (query.trim().length < least) {
      this.#note(least === 1 ? "Type to search" : `Type at least ${least} characters to search`);
      return;
    }
    this.#note("Searching…");
    const mine = this.asked;
    await new Promise((resolve) => setTimeout(resolve, DEBOUNCE_MS));
    if (mine !== this.asked) return;
    const outcome = await this.at.surface.options(this.at.block, this.element, query);
    if (mine !== this.asked || !this.list) return;
    if (!outcome.ok) this.#note(outcome.shown ?? "The options couldn't be loaded");
    else this.#fill(flatten(outcome.options));
  }

  #show() {
    const id = freshId("list");
    this.list = el("ul", { class: "popup options", role: "listbox", id, "aria-label": this.input.getAttribute("aria-label") ?? "Options" });
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    floor(this.input).append(this.list);
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-controls", id);
    this.release = anchor(this.list, this.root);
  }

  #close() {
    this.asked += 1;
    if (!this.list) return;
    this.release();
    this.list.remove();
    this.list = null;
    this.shown = [];
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-controls");
    this.input.removeAttribute("aria-activedescendant");
  }

  #note(words) {
    this.shown = [];
    this.list.replaceChildren(el("li", { class: "note", role: "presentation" }, words));
  }

  #fill(options) {
    if (!options.length) {
      this.#note("No results");
      return;
    }
    this.shown = options;
    let group = null;
    const rows = [];
    options.forEach((option, index) => {
      if (option.group && option.group !== group) rows.push(el("li", { class: "group", role: "presentation" }, option.group));
      group = option.group;
      rows.push(this.#row(option, index));
    });
    this.list.replaceChildren(...rows);
    const chosen = this.several ? -1 : options.findIndex((option) => option.value === this.value);
    this.#activate(Math.max(chosen, 0));
  }

  #row(option, index) {
    const chosen = this.several ? (this.value ?? []).includes(option.value) : option.value === this.value;
    const text = freshId("option");
    const described = option.description ? freshId("described") : null;
    return el(
      "li",
      {
        role: "option", id: freshId("row"), "aria-selected": chosen ? "true" : "false", "aria-labelledby": text, "aria-describedby": described,
        data: { index }, on: { click: () => this.#choose(option), mousemove: () => this.#activate(index, false) },
      },
      el("span", { id: text, class: "option-text" }, plainText(option.text)),
      described ? el("span", { id: described, class: "option-description" }, plainText(option.description)) : null,
    );
  }

  #activate(index, scroll = true) {
    this.active = index;
    for (const row of this.list.querySelectorAll("[role=option]")) {
      const here = Number(row.dataset.index) === index;
      row.classList.toggle("active", here);
      if (!here) continue;
      this.input.setAttribute("aria-activedescendant", row.id);
      if (scroll) row.scrollIntoView({ block: "nearest" });
    }
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (!this.list) this.#open("");
      else if (this.shown.length) this.#activate((this.active + step + this.shown.length) % this.shown.length);
    } else if (event.key === "Enter") {
      // Inside a list Enter chooses; it never submits the form under it.
      event.preventDefault();
      event.stopPropagation();
      if (this.list && this.shown[this.active]) this.#choose(this.shown[this.active]);
      else if (!this.list) this.#open("");
    } else if (event.key === "Escape" && this.list) {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
      this.#settle();
    } else if (event.key === "Backspace" && this.several && !this.input.value && this.value?.length) {
      this.#commit(this.value.slice(0, -1));
    }
  }

  #choose(option) {
    this.known.set(option.value, option);
    this.#close();
    if (!this.several) {
      this.at.surface.remember(this.at.block, this.element, option);
      this.#commit(option.value);
      return;
    }
    const values = this.value ?? [];
    const has = values.includes(option.value);
    if (!has && this.element.max_selected_items && values.length >= this.element.max_selected_items) return;
    this.#commit(has ? values.filter((value) => value !== option.value) : [...values, option.value]);
  }

  #commit(value) {
    const before = this.value;
    perform(this.root, this.element, () => {
      const sending = this.at.surface.change(this.at.block, this.element, value);
      this.#settle();
      return sending;
    }).then((done) => {
      if (!done) this.input.value = before && !this.several ? this.#labelOf(before) : "";
    });
  }
}

function flatten(offered) {
  return offered.flatMap((item) =>
    item.options ? item.options.map((option) => ({ ...option, group: plainText(item.label) })) : [item],
  );
}

function named(value, text) {
  return { value, text: { type: "plain_text", text } };
}

function people() {
  return [...directory.users.values()].filter((person) => !person.bot).map((person) => named(person.id, person.name));
}

function conversations() {
  return [...directory.channels.values()].filter((channel) => channel.kind !== "im").map((channel) => named(channel.id, `#${channel.name}`));
}
