// A conversation: messages with author, time, blocks and files, oldest first.

import { arrange, clockTime, dayName, el, fileSize } from "./dom.js";
import { Surface } from "./surface.js";
import { directory, mrkdwn } from "./text.js";

export class Conversation {
  // `openThread(ts)` shows the thread of a message; without it this is a thread itself.
  constructor(log, scroller, send, openThread = null) {
    this.openThread = openThread;
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
    for (const message of messages) {
      const today = dayName(Number(message.ts));
      if (today !== day) nodes.push(this.#divider(today));
      day = today;
      const item = this.items.get(message.ts) ?? new Item(channel, this.send, this.openThread);
      item.update(message, replies.get(message.ts) ?? 0);
      items.set(message.ts, item);
      nodes.push(item.node);
    }
    this.items = items;
    arrange(this.log, nodes);
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #divider(day) {
    this.dividers ??= new Map();
    if (!this.dividers.has(day)) this.dividers.set(day, el("div", { class: "day" }, el("span", {}, day)));
    return this.dividers.get(day);
  }
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
    this.node = el("article", { class: "message" }, this.avatar, el("div", { class: "message-body" }, this.head, this.content, this.files, this.foot));
  }

  update(message, replies) {
    const json = JSON.stringify([message, replies]);
    if (json === this.json) return;
    this.json = json;
    const author = directory.users.get(message.user) ?? { name: message.user || "Local Slack", color: 5 };
    this.avatar.textContent = initials(author.name);
    this.avatar.className = `avatar color-${author.color}${author.bot ? " app" : ""}`;
    this.head.replaceChildren(...header(message, author));
    this.node.classList.toggle("ephemeral", Boolean(message.ephemeral_to));
    this.surface ??= new Surface(this.content, [this.channel, message.ts], this.send);
    if (message.blocks?.length) this.surface.update(message.blocks);
    else this.content.replaceChildren(el("div", { class: "text" }, mrkdwn(message.text ?? "")));
    this.foot.replaceChildren(...this.#footed(message, replies));
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

function header(message, author) {
  const seconds = Number(message.ts);
  const time = el("time", { datetime: new Date(seconds * 1000).toISOString(), title: new Date(seconds * 1000).toLocaleString() }, clockTime(seconds));
  return [
    message.ephemeral_to ? el("div", { class: "only-you" }, "👁 Only visible to you") : "",
    el("span", { class: "author" }, author.name),
    author.bot ? el("span", { class: "app-tag" }, "APP") : "",
    time,
    message.edited ? el("span", { class: "edited" }, "(edited)") : "",
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
