// The message box, with a list of the app's slash commands, or of people, while one is being typed.

import { el, freshId } from "./dom.js";
import { anchor, floor } from "./popup.js";
import { directory } from "./text.js";

export class Composer {
  // `say(text)` sends a message or a command; `lastOwn()` returns the last message that can be edited, as {ts, text},
  // or null, and `change(ts, text)` edits it.
  constructor(form, say, { lastOwn = () => null, change = null } = {}) {
    this.say = say;
    this.lastOwn = lastOwn;
    this.change = change;
    this.edited = null;
    this.commands = [];
    this.last = "";
    this.box = form.querySelector("textarea");
    this.form = form;
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("blur", () => this.#close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  placeholder(words) {
    this.box.placeholder = words;
  }

  fill(text) {
    this.box.value = text;
    this.#grow();
    this.box.focus();
  }

  // Takes a message into the box, to send it changed; Escape leaves it as it was.
  edit(message) {
    this.edited = message.ts;
    this.form.classList.add("editing");
    this.fill(message.text);
  }

  // What was begun is meant for where it was begun.
  leave() {
    if (this.edited) this.#leaveEditing();
  }

  #leaveEditing() {
    this.edited = null;
    this.form.classList.remove("editing");
    this.box.value = "";
    this.#grow();
  }

  #typed() {
    this.#grow();
    const text = this.box.value;
    const mention = text.slice(0, this.box.selectionStart).match(/(?:^|\s)(@[^@\n]*)$/)?.[1];
    if (mention) {
      this.#offer(this.#named(mention), false, mention);
      return;
    }
    if (!text.startsWith("/") || text.includes("\n")) {
      this.#close();
      return;
    }
    const name = text.split(" ")[0];
    const complete = text.includes(" ");
    const fitting = this.commands.filter(({ command }) => (complete ? command === name : command.startsWith(name)));
    this.#offer(fitting, complete, text);
  }

  #named(mention) {
    const begun = mention.toLowerCase();
    return [...directory.users.values()].map(({ name }) => ({ command: `@${name}` })).filter(({ command }) => command.toLowerCase().startsWith(begun));
  }

  // While the name is typed the commands can be chosen; behind it the one command's usage stands as a reminder. `begun`: what
  // of it stands before the caret.
  #offer(commands, reminder, begun) {
    if (!commands.length) {
      this.#close();
      return;
    }
    if (!this.list) {
      this.list = el("ul", { class: "popup commands", role: "listbox", id: freshId("commands") });
      this.list.addEventListener("mousedown", (event) => event.preventDefault());
      floor(this.form).append(this.list);
      this.release = anchor(this.list, this.form);
      this.box.setAttribute("aria-controls", this.list.id);
    }
    this.list.setAttribute("aria-label", begun.startsWith("@") ? "People" : "Commands");
    this.offered = commands;
    this.reminder = reminder;
    this.begun = begun;
    this.list.replaceChildren(...commands.map((command) => this.#row(command)));
    const exact = commands.findIndex(({ command }) => command === begun);
    this.#activate(Math.max(exact, 0));
  }

  #row({ command, usage_hint: usage, description }) {
    const name = el("span", { class: "command-name" }, command);
    return el(
      "li",
      { role: "option", id: freshId("command"), on: { click: () => this.#complete(command) } },
      el("span", { class: "command-line" }, name, usage ? el("span", { class: "command-usage" }, ` ${usage}`) : null),
      description ? el("span", { class: "command-description" }, description) : null,
    );
  }

  #activate(index) {
    this.active = index;
    [...this.list.children].forEach((row, at) => {
      row.classList.toggle("active", at === index && !this.reminder);
      row.setAttribute("aria-selected", at === index ? "true" : "false");
      if (at === index) this.box.setAttribute("aria-activedescendant", row.id);
    });
  }

  #key(event) {
    if (event.isComposing) return;
    const choosing = this.list && !this.reminder;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (choosing && step) {
      event.preventDefault();
      this.#activate((this.active + step + this.offered.length) % this.offered.length);
    } else if (choosing && this.#completes(event)) {
      event.preventDefault();
      this.#complete(this.offered[this.active].command);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "Escape" && this.list) {
      this.#close();
    } else if (event.key === "Escape" && this.edited) {
      this.#leaveEditing();
    } else if (event.key === "ArrowUp" && !this.box.value) {
      event.preventDefault();
      this.#back();
    }
  }

  // A message that was sent last is edited; a command comes back, to send it again or differently.
  #back() {
    const own = this.last.startsWith("/") ? null : this.lastOwn();
    if (own) this.edit(own);
    else this.fill(this.last);
  }

  // Enter on a name that is already whole sends it, as nothing is left to complete.
  #completes(event) {
    if (event.key === "Tab" && !event.shiftKey) return true;
    return event.key === "Enter" && !event.shiftKey && this.offered[this.active].command !== this.begun;
  }

  #complete(command) {
    const { value, selectionStart: caret } = this.box;
    const mention = this.begun.startsWith("@");
    const before = `${mention ? value.slice(0, caret - this.begun.length) : ""}${command} `;
    this.box.value = before + (mention ? value.slice(caret) : "");
    this.box.setSelectionRange(before.length, before.length);
    this.box.focus();
    this.#typed();
  }

  #send() {
    const text = this.box.value.trim();
    this.#close();
    if (!text) return;
    if (this.edited) {
      const ts = this.edited;
      this.#leaveEditing();
      this.change(ts, text);
      return;
    }
    this.box.value = "";
    this.last = text;
    this.#grow();
    this.say(text);
  }

  #close() {
    if (!this.list) return;
    this.release();
    this.list.remove();
    this.list = null;
    this.box.removeAttribute("aria-controls");
    this.box.removeAttribute("aria-activedescendant");
  }

  #grow() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 200)}px`;
  }
}
