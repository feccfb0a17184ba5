// A conversation: messages with author, time, blocks and files, oldest first.

import { arrange, clockTime, dayName, el, fileSize } from "./dom.js";
import { HoverTools } from "./hovertools.js";
import { Surface } from "./surface.js";
import { directory, mrkdwn } from "./text.js";

// Within so many seconds, what one author says stands under one name.
const TOGETHER_SECONDS = 300;

export class Conversation {
  // `openThread(ts)` shows the thread of a message; without it this is a thread itself. `toolsFor(channel, message)`
  // returns what can be done with a message, as {label, icon, run}.
  constructor(log, scroller, send, toolsFor, openThread = null) {
    this.openThread = openThread;
    this.tools = new HoverTools(log, (node) => this.#tools(node, toolsFor));
    this.log = log;
    this.scroller = scroller;
    this.send = send;
    this.items = new Map();
    this.channel = null;
  }

  // Shows `messages` of `channel`, in order; keeps what is there, and stays at the end if it was at the end.
  show(channel, messages, { replies = new Map(), thread = null } = {}) {
    const elsewhere = channel !== this.channel || thread !== this.threadTs;
    const atEnd = elsewhere || this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 60;
    if (elsewhere) this.items.clear();
    this.channel = channel;
    this.threadTs = thread;
    const items = new Map();
    const nodes = [];
    let day = null;
    let before = null;
    for (const message of messages) {
      const today = dayName(Number(message.ts));
      if (today !== day) {
        nodes.push(this.#divider(today));
        before = null;
      }
      day = today;
      const item = this.items.get(message.ts) ?? new Item(channel, this.send, this.openThread);
      item.update(message, replies.get(message.ts) ?? 0, goesOn(before, message));
      before = message;
      items.set(message.ts, item);
      nodes.push(item.node);
    }
    this.items = items;
    arrange(this.log, nodes);
    this.tools.settle();
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  // Brings one message into view and marks it for a moment; nothing if it isn't here.
  point(ts) {
    const node = this.items.get(ts)?.node;
    if (!node) return;
    node.scrollIntoView({ block: "center" });
    node.classList.add("pointed");
    setTimeout(() => node.classList.remove("pointed"), 3000);
  }

  #tools(node, toolsFor) {
    for (const item of this.items.values()) if (item.node === node) return toolsFor(this.channel, item.message);
    return [];
  }

  #divider(day) {
    this.dividers ??= new Map();
    if (!this.dividers.has(day)) this.dividers.set(day, el("div", { class: "day" }, el("span", {}, day)));
    return this.dividers.get(day);
  }
}

// Whether a message needs no name of its own, as it follows one of its author's.
function goesOn(before, message) {
  return (
    before !== null && before.user === message.user && (before.ephemeral_to ?? null) === (message.ephemeral_to ?? null) &&
    message.subtype !== "thread_broadcast" && Number(message.ts) - Number(before.ts) < TOGETHER_SECONDS
  );
}

class Item {
  constructor(channel, send, openThread) {
    this.openThread = openThread;
    this.foot = el("div", { class: "message-foot" });
    this.channel = channel;
    this.send = send;
    this.head = el("div", { class: "message-head" });
    this.content = el("div", { class: "blocks" });
    this.files = el("div", { class: "files" });
    this.avatar = el("span", { class: "avatar", "aria-hidden": "true" });
    this.gutter = el("div", { class: "gutter" });
    this.node = el("article", { class: "message", tabindex: "-1" }, this.gutter, el("div", { class: "message-body" }, this.head, this.content, this.files, this.foot));
  }

  update(message, replies, goesOn) {
    const json = JSON.stringify([message, replies, goesOn, directory.users.get(message.user)]);
    if (json === this.json) return;
    this.json = json;
    this.message = message;
    const author = directory.users.get(message.user) ?? { name: message.user || "Local Slack", color: 5 };
    this.avatar.textContent = initials(author.name);
    this.avatar.className = `avatar color-${author.color}${author.bot ? " app" : ""}`;
    this.node.classList.toggle("goes-on", goesOn);
    this.gutter.replaceChildren(goesOn ? time(message) : this.avatar);
    this.head.replaceChildren(...(goesOn ? [el("span", { class: "unseen" }, author.name)] : header(message, author)));
    this.node.classList.toggle("ephemeral", Boolean(message.ephemeral_to));
    this.surface ??= new Surface(this.content, [this.channel, message.ts], this.send);
    if (message.blocks?.length) this.surface.update(message.blocks);
    else this.content.replaceChildren(el("div", { class: "text" }, mrkdwn(message.text ?? "")));
    this.foot.replaceChildren(...(message.edited ? [el("span", { class: "edited" }, "(edited)")] : []), ...this.#footed(message, replies));
    this.files.replaceChildren(...(message.files ?? []).map(fileCard));
  }

  // Below a message: the way to its thread.
  #footed(message, replies) {
    if (!this.openThread) return [];
    if (message.subtype === "thread_broadcast") return [opener("of-thread", "Replied to a thread", () => this.openThread(message.thread_ts))];
    return replies ? [opener("replies", replies === 1 ? "1 reply" : `${replies} replies`, () => this.openThread(message.ts))] : [];
  }
}

function opener(name, words, open) {
  return el("button", { type: "button", class: name, on: { click: open } }, words);
}

function time(message) {
  const seconds = Number(message.ts);
  const moment = new Date(seconds * 1000);
  return el("time", { datetime: moment.toISOString(), title: moment.toLocaleString() }, clockTime(seconds));
}

function header(message, author) {
  return [
    message.ephemeral_to ? el("div", { class: "only-you" }, "👁 Only visible to you") : "",
    el("span", { class: "author" }, author.name),
    author.bot ? el("span", { class: "app-tag" }, "APP") : "",
    time(message),
  ].filter(Boolean);
}

function fileCard(file) {
  const href = `files/${encodeURIComponent(file.id)}/${encodeURIComponent(file.name)}`;
  return el(
    "div",
    { class: "file" },
    el("span", { class: "file-icon", "aria-hidden": "true" }, "📄"),
    el("span", { class: "file-words" }, el("span", { class: "file-name" }, file.title || file.name), el("span", { class: "muted" }, describeFile(file))),
    el("a", { class: "button", href, download: file.name }, "Download"),
  );
}

function describeFile(file) {
  const kind = file.name.includes(".") ? file.name.split(".").pop().toUpperCase() : "File";
  return file.size ? `${kind}, ${fileSize(file.size)}` : kind;
}

export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("") || "?";
}
