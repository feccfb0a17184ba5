// Things to try, above the message box: each stays until its person has tried it.

import { el } from "./dom.js";

export class Hints {
  // `fill(text)` puts a text into the message box.
  constructor(node, fill) {
    this.node = node;
    this.fill = fill;
    this.texts = [];
    this.done = new Set();
  }

  // `storage` names where this browser remembers what was tried.
  begin(texts, storage) {
    this.texts = texts;
    this.storage = storage;
    this.done = new Set(this.#stored());
    this.#draw();
  }

  tried(text) {
    if (!this.texts.includes(text)) return;
    this.#finish([text]);
  }

  #finish(texts) {
    texts.forEach((text) => this.done.add(text));
    try {
      localStorage.setItem(this.storage, JSON.stringify([...this.done]));
    } catch {
      // Without storage they come back with the next tab.
    }
    this.#draw();
  }

  #draw() {
    const left = this.texts.filter((text) => !this.done.has(text));
    this.node.hidden = !left.length;
    const chips = left.map((text) => el("button", { type: "button", class: "hint-chip", on: { click: () => this.fill(text) } }, text));
    const all = el("button", { type: "button", class: "icon", "aria-label": "Hide these", title: "Hide these", on: { click: () => this.#finish(this.texts) } }, "✕");
    this.node.replaceChildren(el("span", {}, "Things to try"), ...chips, all);
  }

  #stored() {
    try {
      return JSON.parse(localStorage.getItem(this.storage)) ?? [];
    } catch {
      return [];
    }
  }
}
