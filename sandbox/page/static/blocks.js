// Block Kit blocks as DOM. A block's node may carry `showError(sentence or null)`; only inputs do.

import { el, freshId } from "./dom.js";
import { renderElement } from "./elements.js";
import { richText, table } from "./richtext.js";
import { plainText, safeUrl, textNodes } from "./text.js";

export function renderBlock(block, surface) {
  const draw = BLOCKS[block.type] ?? unknown;
  const node = draw(block, surface);
  node.classList.add("block", `block-${block.type}`);
  return node;
}

const BLOCKS = {
  alert: (block) => el("div", { class: `alert-${block.level ?? "default"}` }, el("div", { class: "text" }, textNodes(block.text))),
  header: (block) => el("div", {}, el("h2", {}, plainText(block.text))),
  divider: () => el("div", {}, el("hr")),
  section,
  context,
  actions,
  image,
  input,
  rich_text: (block) => el("div", {}, richText(block)),
  table: (block) => el("div", {}, table(block)),
  markdown: (block) => el("div", { class: "text" }, block.text),
};

function unknown(block) {
  return el("div", { class: "muted" }, `A block of type ${block.type}, which this page can't show.`);
}

function section(block, surface) {
  const textId = freshId("text");
  const text = block.text ? el("div", { class: "text", id: textId }, textNodes(block.text)) : null;
  const fields = block.fields
    ? el("div", { class: "fields" }, block.fields.map((field) => el("div", { class: "text field" }, textNodes(field))))
    : null;
  const accessory = block.accessory
    ? el("div", { class: "accessory" }, renderElement(block.accessory, {
        block, surface, label: accessoryLabel(block), describedBy: text ? textId : null,
      }))
    : null;
  return el("div", {}, el("div", { class: "section-body" }, text, fields), accessory);
}

// A select beside a section is named by the section's text, which stands there like a label.
function accessoryLabel(block) {
  const text = block.text?.text.replace(/[*_~`]/g, "").trim();
  return text && text.length <= 75 ? text : null;
}

function context(block) {
  const items = block.elements.map((element) =>
    element.type === "image" ? picture(element, "context-image") : el("span", { class: "text" }, textNodes(element)),
  );
  return el("div", {}, items);
}

function actions(block, surface) {
  return el("div", {}, block.elements.map((element) => renderElement(element, { block, surface })));
}

// Pictures from elsewhere are not fetched by this page; their alternative text stands for them.
function picture(element, kind) {
  const url = safeUrl(element.image_url ?? "");
  const local = url && new URL(url).origin === location.origin;
  if (!local) return el("span", { class: `${kind} picture-text`, role: "img", "aria-label": element.alt_text }, element.alt_text);
  return el("img", { class: kind, src: url, alt: element.alt_text });
}

function image(block) {
  const title = block.title ? el("div", { class: "muted" }, plainText(block.title)) : null;
  return el("div", {}, title, picture(block, "block-picture"));
}

const GROUPS = new Set(["checkboxes", "radio_buttons"]);

function input(block, surface) {
  const labelId = freshId("label");
  const controlId = freshId("control");
  const errorId = freshId("error");
  const hint = block.hint ? el("div", { class: "hint", id: freshId("hint") }, plainText(block.hint)) : null;
  const error = el("div", { class: "error", id: errorId, role: "alert" });
  const inGroup = GROUPS.has(block.element.type);
  const label = el(inGroup ? "span" : "label", { class: "label", id: labelId, for: inGroup ? null : controlId }, plainText(block.label));
  const optional = block.optional ? el("span", { class: "optional" }, " (optional)") : null;
  const control = renderElement(block.element, {
    block, surface, controlId, labelledBy: inGroup ? labelId : null, describedBy: hint?.id ?? null,
    dispatches: Boolean(block.dispatch_action), isInput: true, optional: Boolean(block.optional),
  });
  const node = el("div", {}, el("div", {}, label, optional), control, hint, error);
  const marked = node.querySelector(`[id="${controlId}"]`) ?? control;
  const described = marked.getAttribute("aria-describedby");
  node.showError = (sentence) => {
    error.textContent = sentence ?? "";
    node.classList.toggle("invalid", Boolean(sentence));
    if (sentence) marked.setAttribute("aria-invalid", "true");
    else marked.removeAttribute("aria-invalid");
    const ids = [described, sentence ? errorId : null].filter(Boolean).join(" ");
    if (ids) marked.setAttribute("aria-describedby", ids);
    else marked.removeAttribute("aria-describedby");
  };
  return node;
}
