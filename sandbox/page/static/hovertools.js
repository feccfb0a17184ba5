// What can be done with one message: a row of buttons in the message under the pointer, or the one that has the focus.
// Up, Down, Home and End go from message to message.

import { el } from "./dom.js";

export class HoverTools {
  // `tools(article)` returns what can be done with it, as {label, icon, run}.
  constructor(log, tools) {
    this.log = log;
    this.tools = tools;
    this.row = el("div", { class: "hover-tools", role: "toolbar", "aria-label": "Actions" });
    this.at = null;
    log.addEventListener("pointerover", (event) => this.#show(event.target.closest("article")));
    log.addEventListener("pointerleave", () => this.#show(null));
    log.addEventListener("focusin", (event) => this.#focused(event.target));
    log.addEventListener("focusout", (event) => log.contains(event.relatedTarget) || this.#show(null));
    log.addEventListener("keydown", (event) => this.#key(event));
    // Whatever else is pressed in the message comes first: the row must not stand over what that opens.
    log.addEventListener("click", (event) => this.row.contains(event.target) || this.#show(null));
  }

  // After messages came or went: one of them can be reached with Tab.
  settle() {
    const articles = this.#articles();
    if (this.at && !articles.includes(this.at)) this.#show(null);
    if (!articles.some((article) => article.tabIndex === 0)) this.#reach(articles.at(-1));
    else if (!this.log.contains(document.activeElement)) this.#reach(articles.at(-1));
  }

  #articles() {
    return [...this.log.querySelectorAll(":scope > article")];
  }

  #reach(article) {
    for (const other of this.#articles()) other.tabIndex = other === article ? 0 : -1;
  }

  #focused(target) {
    const article = target.closest("article");
    if (!article) return;
    this.#reach(article);
    if (target.matches(":focus-visible")) this.#show(article);
  }

  #show(article) {
    if (article === this.at) return;
    this.at = article;
    this.row.remove();
    const tools = article ? this.tools(article) : [];
    if (!tools.length) return;
    this.row.replaceChildren(...tools.map((tool) => this.#button(tool)));
    article.append(this.row);
  }

  #button({ label, icon, run }) {
    const press = () => {
      this.#show(null);
      run();
    };
    return el("button", { type: "button", class: "icon", title: label, "aria-label": label, on: { click: press } }, el("span", { "aria-hidden": "true" }, icon));
  }

  #key(event) {
    const articles = this.#articles();
    const here = articles.indexOf(event.target);
    if (here < 0) return;
    const there = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: articles.length - 1 }[event.key];
    if (there === undefined || !articles[there]) return;
    event.preventDefault();
    articles[there].focus();
  }
}
