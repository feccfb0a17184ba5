// rich_text blocks and the cells of tables.

import { el } from "./dom.js";
import { channelMention, emoji, formatDate, link, userMention } from "./text.js";

function styled(node, style = {}) {
  let result = node;
  if (style.code) result = el("code", {}, result);
  if (style.strike) result = el("s", {}, result);
  if (style.italic) result = el("em", {}, result);
  if (style.bold) result = el("strong", {}, result);
  return result;
}

function inlineElement(item) {
  switch (item.type) {
    case "text":
      return styled(document.createTextNode(item.text), item.style);
    case "link":
      return styled(link(item.url, item.text), item.style);
    case "emoji":
      return document.createTextNode(emoji(item.name));
    case "user":
      return userMention(item.user_id);
    case "channel":
      return channelMention(item.channel_id);
    case "broadcast":
      return el("span", { class: "mention" }, `@${item.range}`);
    case "date":
      return el("time", {}, formatDate(item.timestamp, item.format));
    case "color":
      return document.createTextNode(item.value);
    default:
      return document.createTextNode(item.text ?? "");
  }
}

const inlineElements = (items = []) => items.map(inlineElement);

// Lists of one level come as neighbours with an indent; each stands by itself, indented by its class.
function list(element) {
  const tag = element.style === "ordered" ? "ol" : "ul";
  const items = element.elements.map((item) => el("li", {}, inlineElements(item.elements)));
  const start = tag === "ol" && element.offset ? element.offset + 1 : null;
  return el(tag, { class: `indent-${Math.min(element.indent ?? 0, 4)}`, start }, items);
}

function element(item) {
  switch (item.type) {
    case "rich_text_section":
      return el("div", { class: "rich-section" }, inlineElements(item.elements));
    case "rich_text_preformatted":
      // Focusable, so that long lines can be scrolled and copied with the keyboard.
      return el("pre", { tabindex: "0" }, inlineElements(item.elements));
    case "rich_text_quote":
      return el("blockquote", {}, inlineElements(item.elements));
    case "rich_text_list":
      return list(item);
    default:
      return el("div", {}, `(${item.type})`);
  }
}

export function richText(block) {
  return el("div", { class: "rich-text" }, block.elements.map(element));
}

function cell(content, tag, settings = {}) {
  const classes = [`align-${settings?.align ?? "left"}`, settings?.is_wrapped ? "wrapped" : ""].join(" ").trim();
  const body = content.type === "rich_text" ? richText(content) : document.createTextNode(content.text ?? "");
  return el(tag, { class: classes, scope: tag === "th" ? "col" : null }, body);
}

export function table(block) {
  const settings = block.column_settings ?? [];
  const [head, ...rows] = block.rows;
  const row = (cells, tag) => el("tr", {}, cells.map((content, column) => cell(content, tag, settings[column])));
  return el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    el("table", {}, el("thead", {}, head ? row(head, "th") : null), el("tbody", {}, rows.map((cells) => row(cells, "td")))),
  );
}
