// The stack of modals: the workspace says which views are open, the last one is shown.

import { ask } from "./confirm.js";
import { el, freshId, trapTab } from "./dom.js";
import { Surface, elementsOf } from "./surface.js";
import { plainText } from "./text.js";

const TROUBLE = "We had some trouble connecting. Try again?";

export class Modals {
  constructor(send) {
    this.send = send;
    this.sheets = new Map();
    this.order = [];
    this.dialog = null;
    this.before = null;
  }

  // `views` is the stack as it stands, the root first.
  show(views) {
    const gone = this.order.filter((id) => !views.some((view) => view.id === id));
    gone.forEach((id) => this.sheets.delete(id));
    this.order = views.map((view) => view.id);
    if (!views.length) {
      this.#shut();
      return;
    }
    if (!this.dialog) this.#raise();
    views.forEach((view, depth) => {
      if (!this.sheets.has(view.id)) this.sheets.set(view.id, new Sheet(this, view.id));
      this.sheets.get(view.id).update(view, depth);
    });
    this.#front(this.sheets.get(views[views.length - 1].id));
  }

  #raise() {
    this.before = document.activeElement;
    this.dialog = el("dialog", { class: "modal", role: "dialog", "aria-modal": "true", tabindex: "-1" });
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    // The browser's own Escape, which also comes when nothing in the dialog has the focus.
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.front.leaveBy(false);
    });
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  #front(sheet) {
    if (this.front !== sheet) {
      this.front?.leave();
      this.front = sheet;
      this.dialog.replaceChildren(sheet.head, sheet.body, sheet.foot);
      this.dialog.setAttribute("aria-labelledby", sheet.titleId);
      sheet.enter(this.dialog);
    } else {
      sheet.focusIfNew(this.dialog);
    }
  }

  #shut() {
    if (!this.dialog) return;
    this.dialog.close();
    this.dialog.remove();
    this.dialog = null;
    this.front = null;
    this.before?.focus?.({ preventScroll: true });
  }

  #key(event) {
    trapTab(this.dialog, event);
    if (event.key === "Escape") {
      event.preventDefault();
      this.front.leaveBy(false);
    } else if (event.key === "Enter" && submitsOnEnter(event)) {
      event.preventDefault();
      this.front.submit();
    }
  }
}

// A one-line text submits the form, as does Ctrl+Enter everywhere, unless Enter is the input's own action.
function submitsOnEnter(event) {
  if (event.isComposing || event.defaultPrevented) return false;
  if (event.metaKey || event.ctrlKey) return true;
  return event.target.matches("input.text-input:not([data-enter])");
}

class Sheet {
  constructor(modals, id) {
    this.modals = modals;
    this.id = id;
    this.titleId = freshId("title");
    this.title = el("p", { class: "modal-title", id: this.titleId });
    this.back = el("button", { type: "button", class: "icon", "aria-label": "Previous view", on: { click: () => this.leaveBy(false) } }, "←");
    this.cross = el("button", { type: "button", class: "icon", "aria-label": "Dismiss", on: { click: () => this.leaveBy(true) } }, "✕");
    this.head = el("header", { class: "modal-head" }, this.back, this.title, this.cross);
    this.content = el("div", { class: "blocks" });
    this.body = el("div", { class: "modal-body", "data-scroll": true }, this.content);
    this.trouble = el("p", { class: "trouble", role: "alert" });
    this.close = el("button", { type: "button", class: "button", on: { click: () => this.leaveBy(false) } });
    this.send = el("button", { type: "button", class: "button primary", on: { click: () => this.submit() } });
    this.foot = el("footer", { class: "modal-foot" }, this.trouble, this.close, this.send);
    this.surface = new Surface(this.content, id, (op) => modals.send(op));
    this.scroll = 0;
    this.wanted = null;
  }

  update(view, depth) {
    this.view = view;
    const losesFocus = !view.submit && document.activeElement === this.send;
    this.title.textContent = plainText(view.title);
    this.back.hidden = depth === 0;
    this.close.textContent = plainText(view.close) || (view.submit ? "Cancel" : "Close");
    this.send.hidden = !view.submit;
    this.send.textContent = plainText(view.submit);
    if (losesFocus) this.modals.dialog.focus({ preventScroll: true });
    const fresh = this.surface.update(view.blocks, view.state?.values);
    const focused = fresh.flatMap((block) => elementsOf(block)).find((element) => element.focus_on_load);
    if (focused) this.wanted = focused.action_id;
  }

  enter(dialog) {
    this.body.scrollTop = this.scroll;
    if (this.wanted) this.focusIfNew(dialog);
    else if (this.left && dialog.contains(this.left)) this.left.focus({ preventScroll: true });
    else dialog.focus({ preventScroll: true });
  }

  leave() {
    this.scroll = this.body.scrollTop;
    this.left = document.activeElement;
  }

  // Honours focus_on_load, once for each input that asks for it; a prefilled text is selected, ready to be copied.
  focusIfNew(dialog) {
    if (!this.wanted) return;
    const target = dialog.querySelector(`[data-action="${CSS.escape(this.wanted)}"]`);
    this.wanted = null;
    target?.focus();
    if (target?.value && target.select) target.select();
  }

  async submit() {
    if (!this.view.submit || this.busy) return;
    this.#wait(true);
    const outcome = await this.modals.send({ op: "submit", view: this.id });
    this.#wait(false);
    this.surface.showErrors(outcome.errors ?? {});
    this.trouble.textContent = outcome.error ? (outcome.shown ?? TROUBLE) : "";
  }

  // `all` closes the whole stack, else this view makes way for the one below.
  async leaveBy(all) {
    if (this.leaving) return;
    this.leaving = true;
    if (!this.surface.dirty || (await leavingIsMeant())) await this.modals.send({ op: "close", view: this.id, all });
    this.leaving = false;
  }

  #wait(busy) {
    this.busy = busy;
    this.trouble.textContent = "";
    this.send.classList.toggle("loading", busy);
    if (busy) this.send.setAttribute("aria-busy", "true");
    else this.send.removeAttribute("aria-busy");
  }
}

function leavingIsMeant() {
  return ask({
    title: "Are you sure you want to leave?",
    body: "What you entered here will be lost.",
    yes: "Leave",
    no: "Stay",
    style: "danger",
  });
}
