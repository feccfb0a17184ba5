// What this tab knows of the workspace: conversations, their messages, and up to where they were read.

import { directory } from "./text.js";

// Stands for the app's direct messages until the conversation was opened for the first time.
export const UNOPENED = "app";

const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;

export class Record {
  constructor() {
    this.me = null;
    this.messages = new Map();
    this.read = {};
  }

  // Takes the whole picture that comes first on each connection.
  begin(picture) {
    this.me = picture.me;
    this.team = picture.team;
    this.appName = picture.app_name;
    this.storage = `read/${picture.team_id}/${picture.me}`;
    this.furnish(picture);
    this.messages = new Map(Object.entries(picture.messages));
    this.read = this.#stored() ?? Object.fromEntries([...this.channels.keys()].map((id) => [id, this.#latest(id)]));
  }

  // People and channels, which may change later.
  furnish({ people, channels }) {
    directory.users = new Map(people.map((person) => [person.id, person]));
    directory.channels = new Map(channels.map((channel) => [channel.id, channel]));
    this.people = people;
  }

  get channels() {
    return directory.channels;
  }

  // The app's direct messages.
  get direct() {
    return [...this.channels.values()].find((channel) => channel.kind === "im");
  }

  in(channel) {
    return this.messages.get(channel) ?? [];
  }

  // What stands in the channel itself: no replies, but for those that were sent there too.
  top(channel) {
    return this.in(channel).filter((message) => !isReply(message) || message.subtype === "thread_broadcast");
  }

  // A message and its replies, if it is still there.
  thread(channel, ts) {
    const messages = this.in(channel).filter((message) => message.ts === ts || message.thread_ts === ts);
    return messages.some((message) => message.ts === ts) ? messages : [];
  }

  // How many replies each message of the channel has, by its ts.
  replies(channel) {
    const counts = new Map();
    for (const message of this.in(channel).filter(isReply)) counts.set(message.thread_ts, (counts.get(message.thread_ts) ?? 0) + 1);
    return counts;
  }

  // Puts a new or changed message in its place; true if it is new.
  put(channel, message) {
    const known = this.in(channel);
    const index = known.findIndex((other) => other.ts === message.ts);
    const next = index < 0 ? [...known, message] : known.with(index, message);
    this.messages.set(channel, next.sort((one, other) => Number(one.ts) - Number(other.ts)));
    return index < 0;
  }

  drop(channel, ts) {
    this.messages.set(channel, this.in(channel).filter((message) => message.ts !== ts));
  }

  unread(channel) {
    const since = Number(this.read[channel] ?? 0);
    return this.top(channel).filter((message) => Number(message.ts) > since && message.user !== this.me).length;
  }

  get allUnread() {
    return [...this.channels.keys()].reduce((sum, id) => sum + this.unread(id), 0);
  }

  markRead(channel) {
    this.read = { ...this.read, [channel]: this.#latest(channel) };
    try {
      localStorage.setItem(this.storage, JSON.stringify(this.read));
    } catch {
      // Without storage the unread counts last as long as the tab.
    }
  }

  #latest(channel) {
    return this.in(channel).at(-1)?.ts ?? "0";
  }

  #stored() {
    try {
      return JSON.parse(localStorage.getItem(this.storage));
    } catch {
      return null;
    }
  }
}
