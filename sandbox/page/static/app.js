// The page: a client of one local Slack workspace for one person at a time.

import { copy } from "./clipboard.js";
import { Composer } from "./composer.js";
import { ask } from "./confirm.js";
import { Connection } from "./connection.js";
import { el } from "./dom.js";
import { Hints } from "./hints.js";
import { openMenu } from "./menu.js";
import { Conversation } from "./messages.js";
import { Modals } from "./modal.js";
import { HOME, drawNavigation, placeName } from "./navigation.js";
import { Record, UNOPENED } from "./record.js";
import { Surface } from "./surface.js";
import { openSwitcher } from "./switcher.js";
import { directory, mrkdwn, typed } from "./text.js";
import { dropToasts, toast } from "./toasts.js";

const part = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.record = new Record();
    this.shortcuts = [];
    this.line = new Connection((event) => this.#heard(event), (up) => (part("offline").hidden = up));
    const send = (op) => this.line.send(op);
    this.modals = new Modals(send);
    const tools = (channel, message) => this.#toolsFor(channel, message);
    this.conversation = new Conversation(part("log"), part("scroller"), send, tools, (ts) => this.#openThread(ts));
    this.thread = new Conversation(part("thread-log"), part("thread-scroller"), send, tools);
    this.opened = null;
    this.composer = new Composer(part("composer"), (text) => this.#say(text), {
      lastOwn: () => this.#lastOwn(this.record.top(this.place)), change: (ts, text) => this.#change(this.place, ts, text),
    });
    this.replying = new Composer(part("reply"), (text) => this.#say(text, this.opened.ts), {
      lastOwn: () => this.#lastOwn(this.record.thread(this.opened.channel, this.opened.ts)),
      change: (ts, text) => this.#change(this.opened.channel, ts, text),
    });
    this.hints = new Hints(part("hints"), (text) => this.composer.fill(text));
    this.send = send;
  }

  start() {
    window.addEventListener("hashchange", () => this.#go());
    document.addEventListener("visibilitychange", () => this.record.me && this.#drawAll());
    part("person").addEventListener("change", (event) => this.#become(event.target.value));
    part("place-choice").addEventListener("change", (event) => location.assign(event.target.value));
    part("stripe-key").addEventListener("click", () => this.#copy(this.stripeKey));
    part("shortcuts").addEventListener("click", () => this.#offerShortcuts());
    part("thread-close").addEventListener("click", () => this.#openThread(null));
    part("toggle").addEventListener("click", () => this.#toggleSide());
    part("jump").addEventListener("click", () => this.#offerPlaces());
    document.addEventListener("keydown", (event) => this.#key(event));
    this.line.open(new URLSearchParams(location.search).get("user"));
  }

  get place() {
    const [wanted] = this.#address;
    if (wanted === HOME || this.record.channels.has(wanted)) return wanted;
    if (wanted === UNOPENED) return this.record.direct.id;
    return this.record.channels.keys().next().value ?? HOME;
  }

  // Where the address leads: a conversation, or Home, and perhaps one message there.
  get #address() {
    return decodeURIComponent(location.hash.slice(1)).split("/");
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
    this.hints.begin(picture.hints, `tried/${picture.team_id}/${picture.me}`);
    this.shortcuts = picture.shortcuts;
    this.composer.commands = picture.commands;
    part("team").textContent = picture.team;
    if (picture.dashboard) part("dashboard").href = picture.dashboard;
    part("dashboard").hidden = !picture.dashboard;
    part("team").hidden = picture.places.length > 1;
    part("places").hidden = picture.places.length < 2;
    part("place-choice").replaceChildren(...picture.places.map((place) => el("option", { value: place.address, selected: place.here }, place.name)));
    if (picture.install) part("install").href = picture.install;
    part("install").hidden = !picture.install;
    this.app = picture.removable ? { name: picture.app_name, team: picture.team } : null;
    part("stripe-key").hidden = !(this.stripeKey = picture.stripe_key);
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
    this.composer.leave();
    if (this.place === HOME) this.send({ op: "home", tab: "home" });
    else if (this.place === this.record.direct.id) this.send({ op: "home", tab: "messages" });
    part("side").classList.remove("open");
    part("toggle").setAttribute("aria-expanded", "false");
    this.#drawAll();
    this.#pointAt(this.#address[1]);
  }

  // A link leads to one message, in its thread if it is a reply.
  #pointAt(ts) {
    const message = this.record.in(this.place).find((other) => other.ts === ts);
    if (!message) return;
    if (message.thread_ts && message.thread_ts !== ts) this.#openThread(message.thread_ts);
    this.conversation.point(ts);
    this.thread.point(ts);
  }

  #key(event) {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) this.#offerPlaces();
  }

  #offerPlaces() {
    const go = (place) => () => (location.hash = place);
    openSwitcher([
      ...[...this.record.channels.values()].map((channel) => ({ name: placeName(channel), go: go(channel.id) })),
      { name: "Home", about: this.record.appName, go: go(HOME) },
      ...this.shortcuts.map((shortcut) => ({ name: shortcut.name, about: shortcut.description, go: () => this.#takeShortcut(shortcut) })),
    ]);
  }

  // ---- messages ----------------------------------------------------------------------------------------------------

  #toolsFor(channel, message) {
    const reply = { label: "Reply in thread", icon: "💬", run: () => this.#openThread(message.thread_ts ?? message.ts, { reply: true }) };
    const link = { label: "Copy link", icon: "🔗", run: () => this.#copy(`${location.href.split("#")[0]}#${channel}/${message.ts}`) };
    const text = { label: "Copy text", icon: "📋", run: () => this.#copy(plainWords(message.text)) };
    const edit = { label: "Edit", icon: "✏️", run: () => this.#edit(message) };
    if (message.ephemeral_to) return [text];
    return this.#isOwn(message) ? [reply, link, text, edit] : [reply, link, text];
  }

  #isOwn(message) {
    return message.user === this.record.me && !message.ephemeral_to;
  }

  #lastOwn(messages) {
    const own = messages.findLast((message) => this.#isOwn(message));
    return own ? { ts: own.ts, text: typed(own.text) } : null;
  }

  #edit(message) {
    const reply = message.thread_ts && message.thread_ts !== message.ts;
    if (reply) this.#openThread(message.thread_ts);
    (reply ? this.replying : this.composer).edit({ ts: message.ts, text: typed(message.text) });
  }

  #change(channel, ts, text) {
    this.send({ op: "edit", channel, ts, text });
  }

  async #copy(text) {
    const copied = await copy(text);
    toast(part("toasts"), { title: copied ? "Copied" : "Not copied", body: copied ? excerpt(text) : "This browser doesn't allow it here.", open: () => {} });
  }

  #become(person) {
    const url = new URL(location.href);
    url.searchParams.set("user", person);
    history.replaceState(null, "", url);
    this.line.open(person);
  }

  #say(text, thread = undefined) {
    const channel = this.place;
    this.hints.tried(text);
    this.send({ op: "say", channel, text, thread }).then((outcome) => {
      if (outcome.shown) this.#whisper(channel, outcome.shown, thread);
    });
  }

  // A sentence of the client itself, which only this person sees and which is gone after a reload.
  #whisper(channel, text, thread) {
    const ts = (Date.now() / 1000).toFixed(6);
    const plain = [{ type: "section", block_id: "whisper", text: { type: "plain_text", text } }];
    this.record.put(channel, { ts, user: "", text, blocks: plain, ephemeral_to: this.record.me, thread_ts: thread });
    this.#drawAll();
  }

  #offerShortcuts() {
    openMenu(part("shortcuts"), this.shortcuts.map((shortcut) => ({
      label: shortcut.name,
      description: shortcut.description,
      choose: () => this.#takeShortcut(shortcut),
    })).concat(this.app ? [{
      label: `Remove ${this.app.name}`,
      description: "Takes the app out of this workspace",
      choose: () => this.#removeApp(this.app),
    }] : []));
  }

  async #removeApp({ name, team }) {
    const agreed = await ask({
      title: `Remove ${name}`,
      body: [`${name} is taken out of ${team}: it is asked for nothing here any more, and its invoices stay.`],
      yes: "Remove",
      no: "Cancel",
      style: "danger",
    });
    if (agreed) await this.send({ op: "remove" });
  }

  async #takeShortcut(shortcut) {
    const outcome = await this.send({ op: "shortcut", callback_id: shortcut.callback_id });
    if (!outcome.shown) return;
    toast(part("toasts"), { title: shortcut.name, body: outcome.shown, open: () => {} });
  }

  // Beside the channel, as long as that is shown; null closes it.
  #openThread(ts, { reply = false } = {}) {
    this.replying.leave();
    this.opened = ts && { channel: this.place, ts };
    this.#drawAll();
    if (ts) (reply ? this.replying.box : part("thread-scroller")).focus();
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
    this.#drawBeginning(channel);
    this.composer.placeholder(`Message ${channel.kind === "im" ? channel.name : `#${channel.name}`}`);
  }

  #drawThread(place) {
    const { channel, ts } = this.opened ?? {};
    const messages = channel === place ? this.record.thread(channel, ts) : [];
    part("thread").hidden = messages.length === 0;
    if (!messages.length) return;
    part("thread-about").textContent = placeName(this.record.channels.get(channel));
    this.thread.show(channel, messages, { thread: ts });
    this.replying.placeholder("Reply…");
  }

  #drawBeginning(channel) {
    const words = channel.kind === "im" ? `Direct messages with ${channel.name}.` : `This is the very beginning of #${channel.name}.`;
    part("beginning").replaceChildren(el("p", { class: "beginning-name" }, placeName(channel)), el("p", {}, words));
  }
}

function excerpt(text) {
  const words = plainWords(text);
  return words.length > 140 ? `${words.slice(0, 140)}…` : words;
}

function plainWords(text) {
  return el("span", {}, mrkdwn(text ?? "")).textContent;
}

new Page().start();
