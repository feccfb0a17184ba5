// The page: a client of one local Slack workspace for one person at a time.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { el } from "./dom.js";
import { openMenu } from "./menu.js";
import { Conversation } from "./messages.js";
import { Modals } from "./modal.js";
import { HOME, drawNavigation, placeName } from "./navigation.js";
import { Record, UNOPENED } from "./record.js";
import { Surface } from "./surface.js";
import { directory, mrkdwn } from "./text.js";
import { dropToasts, toast } from "./toasts.js";

const part = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.record = new Record();
    this.hints = [];
    this.shortcuts = [];
    this.line = new Connection((event) => this.#heard(event), (up) => (part("offline").hidden = up));
    const send = (op) => this.line.send(op);
    this.modals = new Modals(send);
    this.conversation = new Conversation(part("log"), part("scroller"), send, (ts) => this.#openThread(ts));
    this.thread = new Conversation(part("thread-log"), part("thread-scroller"), send);
    this.opened = null;
    this.composer = new Composer(part("composer"), (text) => this.#say(text));
    this.send = send;
  }

  start() {
    window.addEventListener("hashchange", () => this.#go());
    document.addEventListener("visibilitychange", () => this.record.me && this.#drawAll());
    part("person").addEventListener("change", (event) => this.#become(event.target.value));
    part("shortcuts").addEventListener("click", () => this.#offerShortcuts());
    part("thread-close").addEventListener("click", () => this.#openThread(null));
    part("toggle").addEventListener("click", () => this.#toggleSide());
    this.line.open(new URLSearchParams(location.search).get("user"));
  }

  get place() {
    const wanted = decodeURIComponent(location.hash.slice(1));
    if (wanted === HOME || this.record.channels.has(wanted)) return wanted;
    if (wanted === UNOPENED) return this.record.direct.id;
    return this.record.channels.keys().next().value ?? HOME;
  }

  // ---- what happens ------------------------------------------------------------------------------------------------

  #heard(event) {
    switch (event.event) {
      case "hello":
        this.#begin(event);
        break;
      case "furniture":
        this.record.furnish(event);
        this.#drawAll();
        break;
      case "message":
        this.#arrived(event.channel, event.message);
        break;
      case "deleted":
        this.record.drop(event.channel, event.ts);
        this.#drawAll();
        break;
      case "views":
        this.modals.show(event.views);
        break;
      case "home":
        this.#showHome(event.view);
        break;
    }
  }

  #begin(picture) {
    this.record.begin(picture);
    this.hints = picture.hints;
    this.shortcuts = picture.shortcuts;
    this.composer.commands = picture.commands;
    part("team").textContent = picture.team;
    if (picture.dashboard) part("dashboard").href = picture.dashboard;
    part("dashboard").hidden = !picture.dashboard;
    const people = picture.people.filter((person) => !person.bot);
    part("person").replaceChildren(...people.map((person) => el("option", { value: person.id, selected: person.id === picture.me }, person.name)));
    this.homeSurface = new Surface(part("home"), picture.home?.id ?? null, this.send);
    part("home").replaceChildren();
    this.#showHome(picture.home);
    this.modals.show(picture.views);
    this.#go();
  }

  #arrived(channel, message) {
    const isNew = this.record.put(channel, message);
    this.#drawAll();
    if (!isNew || message.user === this.record.me || (channel === this.place && !document.hidden)) return;
    const author = directory.users.get(message.user)?.name ?? "";
    const where = this.record.channels.get(channel);
    toast(part("toasts"), {
      title: where && where.kind !== "im" ? `${author} in ${placeName(where)}` : author,
      body: excerpt(message.text),
      place: channel,
      open: () => (location.hash = channel),
    });
  }

  #showHome(view) {
    if (!view) {
      part("home").replaceChildren(el("p", { class: "muted" }, "The app hasn't put anything here yet."));
      return;
    }
    if (!this.homeSurface.entries.size) part("home").replaceChildren();
    this.homeSurface.where = view.id;
    this.homeSurface.update(view.blocks, view.state?.values);
  }

  // ---- what people do ----------------------------------------------------------------------------------------------

  #go() {
    if (this.place === HOME) this.send({ op: "home", tab: "home" });
    else if (this.place === this.record.direct.id) this.send({ op: "home", tab: "messages" });
    part("side").classList.remove("open");
    part("toggle").setAttribute("aria-expanded", "false");
    this.#drawAll();
  }

  #become(person) {
    const url = new URL(location.href);
    url.searchParams.set("user", person);
    history.replaceState(null, "", url);
    this.line.open(person);
  }

  #say(text) {
    const channel = this.place;
    this.send({ op: "say", channel, text }).then((outcome) => {
      if (outcome.shown) this.#whisper(channel, outcome.shown);
    });
  }

  // A sentence of the client itself, which only this person sees and which is gone after a reload.
  #whisper(channel, text) {
    const ts = (Date.now() / 1000).toFixed(6);
    const plain = [{ type: "section", block_id: "whisper", text: { type: "plain_text", text } }];
    this.record.put(channel, { ts, user: "", text, blocks: plain, ephemeral_to: this.record.me });
    this.#drawAll();
  }

  #offerShortcuts() {
    openMenu(part("shortcuts"), this.shortcuts.map((shortcut) => ({
      label: shortcut.name,
      description: shortcut.description,
      choose: () => this.#takeShortcut(shortcut),
    })));
  }

  async #takeShortcut(shortcut) {
    const outcome = await this.send({ op: "shortcut", callback_id: shortcut.callback_id });
    if (!outcome.shown) return;
    toast(part("toasts"), { title: shortcut.name, body: outcome.shown, open: () => {} });
  }

  // Beside the channel, as long as that is shown; null closes it.
  #openThread(ts) {
    this.opened = ts && { channel: this.place, ts };
    this.#drawAll();
    if (ts) part("thread-scroller").focus();
  }

  #toggleSide() {
    const open = part("side").classList.toggle("open");
    part("toggle").setAttribute("aria-expanded", String(open));
    if (open) part("side").querySelector("a")?.focus();
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  #drawAll() {
    const place = this.place;
    const home = place === HOME;
    part("place").hidden = home;
    part("home-place").hidden = !home;
    this.#drawThread(place);
    if (!home) this.#drawConversation(place);
    drawNavigation(part("side"), {
      appName: this.record.appName, channels: this.record.channels, current: place, unread: (channel) => this.record.unread(channel),
    });
    part("home-about").textContent = this.record.appName ?? "";
    const unread = this.record.allUnread;
    const here = home ? "Home" : placeName(this.record.channels.get(place));
    document.title = `${unread ? `(${unread}) ` : ""}${here} · ${this.record.team}`;
  }

  #drawConversation(place) {
    const channel = this.record.channels.get(place);
    const messages = this.record.top(place);
    if (!document.hidden) {
      this.record.markRead(place);
      dropToasts(part("toasts"), place);
    }
    part("place-name").textContent = placeName(channel);
    part("place-about").textContent = channel.about ?? "";
    this.conversation.show(place, messages, { replies: this.record.replies(place) });
    this.#drawEmpty(channel, messages.length === 0);
    this.composer.placeholder(`Message ${channel.kind === "im" ? channel.name : `#${channel.name}`}`);
  }

  #drawThread(place) {
    const { channel, ts } = this.opened ?? {};
    const messages = channel === place ? this.record.thread(channel, ts) : [];
    part("thread").hidden = messages.length === 0;
    if (!messages.length) return;
    part("thread-about").textContent = placeName(this.record.channels.get(channel));
    this.thread.show(channel, messages, { thread: ts });
  }

  #drawEmpty(channel, empty) {
    const offered = empty ? this.hints : [];
    part("empty").hidden = !empty;
    part("hints").hidden = !offered.length;
    if (!empty) return;
    const words = channel.kind === "im" ? `Direct messages with ${channel.name}.` : `This is the very beginning of #${channel.name}.`;
    part("empty").replaceChildren(el("p", { class: "empty-name" }, placeName(channel)), el("p", {}, words));
    const chip = (text) => el("button", { type: "button", class: "hint-chip", on: { click: () => this.composer.fill(text) } }, text);
    part("hints").replaceChildren(el("span", {}, "Try"), ...offered.map(chip));
  }
}

function excerpt(text) {
  const words = el("span", {}, mrkdwn(text)).textContent;
  return words.length > 140 ? `${words.slice(0, 140)}…` : words;
}

new Page().start();
