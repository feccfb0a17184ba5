// Questions that must be answered before something happens.

import { el, freshId, trapTab } from "./dom.js";
import { plainText, textNodes } from "./text.js";

// Shows a Block Kit confirmation object; resolves to whether it was confirmed.
export function confirmed(confirm) {
  return ask({
    title: plainText(confirm.title),
    body: textNodes(confirm.text),
    yes: plainText(confirm.confirm) || "Yes",
    no: plainText(confirm.deny) || "Cancel",
    style: confirm.style ?? "primary",
  });
}

export function ask({ title, body, yes, no, style = "primary" }) {
  const titleId = freshId("title");
  const bodyId = freshId("body");
  const before = document.activeElement;
  return new Promise((resolve) => {
    const finish = (answer) => {
      dialog.close();
      dialog.remove();
      before?.focus({ preventScroll: true });
      resolve(answer);
    };
    const agree = el("button", { type: "button", class: `button ${style}`, on: { click: () => finish(true) } }, yes);
    const refuse = el("button", { type: "button", class: "button", on: { click: () => finish(false) } }, no);
    const dialog = el(
      "dialog",
      { class: "modal question", role: "alertdialog", "aria-modal": "true", "aria-labelledby": titleId, "aria-describedby": bodyId },
      el("header", { class: "modal-head" }, el("p", { class: "modal-title", id: titleId }, title)),
      el("div", { class: "modal-body text", id: bodyId }, body),
      el("footer", { class: "modal-foot" }, refuse, agree),
    );
    dialog.addEventListener("keydown", (event) => {
      event.stopPropagation();
      trapTab(dialog, event);
      if (event.key === "Escape") {
        event.preventDefault();
        finish(false);
      }
    });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish(false);
    });
    document.body.append(dialog);
    dialog.showModal();
    agree.focus();
  });
}
