// Slack's text objects as DOM nodes: plain_text, and mrkdwn parsed into elements. Whatever isn't understood stays text.

import { el } from "./dom.js";

const EMOJI = {
  arrow_left: "⬅️", arrow_right: "➡️", arrows_counterclockwise: "🔄", bar_chart: "📊", bell: "🔔", bulb: "💡", calendar: "📅",
  chart_with_upwards_trend: "📈", clipboard: "📋", clock3: "🕒", credit_card: "💳", email: "✉️", exclamation: "❗", eyes: "👀",
  file_folder: "📁", gear: "⚙️", globe_with_meridians: "🌐", grey_question: "❔", heavy_check_mark: "✔️",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", house: "🏠", inbox_tray: "📥", information_source: "ℹ️", key: "🔑",
  large_blue_circle: "🔵", large_green_circle: "🟢", large_orange_circle: "🟠", large_yellow_circle: "🟡", link: "🔗", lock: "🔒",
  mag: "🔍", memo: "📝", money_with_wings: "💸", moneybag: "💰", no_entry: "⛔", no_entry_sign: "🚫", outbox_tray: "📤",
  page_facing_up: "📄", point_right: "👉", question: "❓", receipt: "🧾", red_circle: "🔴", rocket: "🚀", rotating_light: "🚨",
  smile: "😄", sparkles: "✨", tada: "🎉", test_tube: "🧪", "+1": "👍", thumbsup: "👍", stopwatch: "⏱️", warning: "⚠️",
  wave: "👋", white_check_mark: "✅", white_circle: "⚪", wrench: "🔧", x: "❌", zap: "⚡",
};

export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

// Names behind ids, kept up by the page as it learns them.
export const directory = { users: new Map(), channels: new Map() };

// What somebody typed, from the text of their message.
export function typed(text) {
  return unescape(text.replace(/<@(\w+)>/g, (whole, id) => (directory.users.has(id) ? `@${directory.users.get(id).name}` : whole)));
}

export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export function safeUrl(url) {
  try {
    return ["http:", "https:", "mailto:"].includes(new URL(url).protocol) ? url : null;
  } catch {
    return null;
  }
}

export function link(url, label) {
  const href = safeUrl(url);
  if (!href) return document.createTextNode(label || url);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, label || url);
}

function mention(text) {
  return el("span", { class: "mention" }, text);
}

export function userMention(id) {
  return mention(`@${directory.users.get(id)?.name ?? id}`);
}

export function channelMention(id) {
  return mention(`#${directory.channels.get(id)?.name ?? id}`);
}

export function formatDate(timestamp, pattern) {
  const date = new Date(Number(timestamp) * 1000);
  const day = { year: "numeric", month: "long", day: "numeric" };
  const short = { year: "numeric", month: "short", day: "numeric" };
  const time = { hour: "numeric", minute: "2-digit" };
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => {
    if (name === "date_num") return date.toLocaleDateString("sv");
    if (name === "time") return date.toLocaleTimeString([], time);
    if (name === "time_secs") return date.toLocaleTimeString([], { ...time, second: "2-digit" });
    if (name.startsWith("date_short")) return date.toLocaleDateString([], short);
    if (name.startsWith("date_long")) return date.toLocaleDateString([], { weekday: "long", ...day });
    return name.startsWith("date") ? date.toLocaleDateString([], day) : whole;
  });
}

// What stands between < and >: a mention, a date or a link.
function angled(inner) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : unescape(inner.slice(bar + 1));
  if (target.startsWith("@")) return userMention(target.slice(1));
  if (target.startsWith("#")) return channelMention(target.slice(1));
  if (target.startsWith("!date^")) {
    const [, timestamp, pattern, url] = target.split("^");
    const text = Number.isFinite(Number(timestamp)) ? formatDate(timestamp, pattern ?? "") : label;
    return url ? link(url, text) : el("time", { title: label }, text);
  }
  if (target.startsWith("!")) return mention(`@${target.slice(1).split("^")[0]}`);
  return safeUrl(unescape(target)) ? link(unescape(target), label) : unescape(`<${inner}>`);
}

const INLINE = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "<(?<angled>[^<>\\n]+)>",
    ":(?<emoji>[a-z0-9_+-]+):",
    "(?<![\\w*])\\*(?<strong>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\w*])",
    "(?<![\\w_])_(?<em>[^\\s_](?:[^_\\n]*[^\\s_])?)_(?![\\w_])",
    "(?<![\\w~])~(?<s>[^\\s~](?:[^~\\n]*[^\\s~])?)~(?![\\w~])",
    "(?<url>https?://[^\\s<>|]*[^\\s<>|.,;:!?)'\"])",
  ].join("|"),
  "g",
);

function inline(text, verbatim) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) nodes.push(unescape(text.slice(from, match.index)));
    nodes.push(inlineNode(match.groups, match[0], verbatim));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(unescape(text.slice(from)));
  return nodes;
}

function inlineNode(groups, whole, verbatim) {
  if (groups.code) return el("code", {}, unescape(groups.code));
  if (groups.angled) return angled(groups.angled);
  if (groups.emoji) return emoji(groups.emoji);
  if (groups.url) return verbatim ? unescape(whole) : link(unescape(groups.url));
  const tag = ["strong", "em", "s"].find((name) => groups[name]);
  return el(tag, {}, inline(groups[tag], verbatim));
}

export function mrkdwn(text, verbatim = false) {
  const nodes = [];
  text.split("```").forEach((part, index, parts) => {
    if (index % 2 && index < parts.length - 1) {
      nodes.push(el("pre", {}, unescape(part.replace(/^\n|\n$/g, ""))));
      return;
    }
    nodes.push(...lines(index % 2 ? "```" + part : part, verbatim));
  });
  return nodes;
}

function lines(text, verbatim) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, index) => {
    const quoted = line.match(/^(?:&gt;|>)\s?(.*)$/);
    if (quoted) {
      if (quote) quote.append("\n", ...inline(quoted[1], verbatim));
      else nodes.push((quote = el("blockquote", {}, inline(quoted[1], verbatim))));
      return;
    }
    if (index > 0 && !quote) nodes.push("\n");
    quote = null;
    nodes.push(...inline(line, verbatim));
  });
  return nodes;
}

// A text object as nodes. plain_text shows its characters, with emoji unless `emoji` is false.
export function textNodes(object) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, object.verbatim);
  return [plainText(object)];
}

export function plainText(object) {
  if (!object) return "";
  if (object.emoji === false) return object.text;
  return object.text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}
