// A place that shows blocks (a modal, Home, a message) and keeps what people entered there, as Slack keeps it:
// the same block_id and action_id keep their value over an update, a new one starts from its initial value.

import { arrange } from "./dom.js";
import { renderBlock } from "./blocks.js";

const keyOf = (blockId, actionId) => `${blockId}\n${actionId}`;

// The interactive elements of a block.
export function elementsOf(block) {
  const found = [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])];
  return found.filter((element) => element && element.action_id);
}

// An element's value as people see it: a string for one choice or a text, a list for several, null for nothing.
export function initialValue(element) {
  switch (element.type) {
    case "checkboxes":
    case "multi_static_select":
    case "multi_external_select":
      return (element.initial_options ?? []).map((option) => option.value);
    case "multi_users_select":
      return element.initial_users ?? [];
    case "multi_conversations_select":
      return element.initial_conversations ?? [];
    case "multi_channels_select":
      return element.initial_channels ?? [];
    case "file_input":
      return [];
    default:
      return (
        element.initial_option?.value ?? element.initial_value ?? element.initial_date ?? element.initial_time ??
        element.initial_user ?? element.initial_channel ?? element.initial_conversation ?? null
      );
  }
}

// The same of a value in Slack's view.state.
function stateValue(state) {
  if (state.files) return state.files.map((file) => file.id);
  for (const name of ["selected_options", "selected_users", "selected_conversations", "selected_channels"]) {
    if (state[name]) return state[name].map((option) => option.value ?? option);
  }
  return (
    state.selected_option?.value ?? state.value ?? state.selected_date ?? state.selected_time ?? state.selected_user ??
    state.selected_channel ?? state.selected_conversation ?? null
  );
}

function same(one, other) {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value) => other.includes(value));
  }
  return (one ?? "") === (other ?? "");
}

export class Surface {
  // `send(op)` carries what people do to the workspace and resolves to its outcome; `where` names this surface in it.
  constructor(node, where, send) {
    this.node = node;
    this.where = where;
    this.send = send;
    this.entries = new Map();
    this.values = new Map();
    this.chosen = new Map();
    this.touched = new Set();
    this.underway = 0;
  }

  // Shows `blocks`. `state` is the workspace's view.state; it wins over what is on the screen unless something
  // that was entered here is still on its way. Blocks that didn't change keep their nodes. Returns the new blocks.
  update(blocks, state = {}) {
    const place = new Place(this.node);
    const fresh = [];
    const entries = new Map();
    const values = new Map();
    blocks.forEach((block, index) => {
      const id = block.block_id ?? `#${index}`;
      const json = JSON.stringify(block);
      const old = this.entries.get(id);
      const changed = this.#carry(block, state[id] ?? {}, values);
      const entry = old && old.json === json && !changed ? old : { json, block, node: null };
      if (!old) fresh.push(block);
      entries.set(id, entry);
    });
    this.entries = entries;
    this.values = values;
    for (const entry of entries.values()) entry.node ??= renderBlock(entry.block, this);
    arrange(this.node, [...entries.values()].map((entry) => entry.node));
    place.restore();
    return fresh;
  }

  // Takes the values of a block's elements into `values`; tells whether one differs from what its node shows.
  #carry(block, state, values) {
    let changed = false;
    for (const element of elementsOf(block)) {
      const key = keyOf(block.block_id, element.action_id);
      const here = this.values.has(key);
      const known = state[element.action_id];
      let value = here ? this.values.get(key) : initialValue(element);
      if (known && !(here && this.underway)) value = stateValue(known);
      if (known?.selected_option) this.chosen.set(key, known.selected_option);
      if (known?.files && !(here && this.underway)) this.chosen.set(key, known.files);
      if (here && !same(value, this.values.get(key))) changed = true;
      values.set(key, value);
    }
    return changed;
  }

  value(block, element) {
    return this.values.get(keyOf(block.block_id, element.action_id)) ?? null;
  }

  // The option object behind a choice that isn't among the block's own options, as with external selects.
  chosenOption(block, element) {
    return this.chosen.get(keyOf(block.block_id, element.action_id)) ?? element.initial_option ?? null;
  }

  remember(block, element, option) {
    this.chosen.set(keyOf(block.block_id, element.action_id), option);
  }

  // The files, {id, name}, that stand in a file input.
  files(block, element) {
    return [...(this.chosen.get(keyOf(block.block_id, element.action_id)) ?? [])];
  }

  // Brings a file of this machine into the workspace. Resolves to the outcome, with its id as `file`.
  async upload(file) {
    return this.#sent({ op: "upload", file });
  }

  // Somebody entered or chose something. Resolves to the outcome.
  async change(block, element, value) {
    this.#touch(block, element, value);
    return this.#sent({ op: "click", ...this.#at(block, element), value });
  }

  async type(block, element, value, enter = false) {
    this.#touch(block, element, value);
    return this.#sent({ op: "type", ...this.#at(block, element), value, enter });
  }

  // A button or an overflow menu's choice: nothing to remember.
  async press(block, element, value = null) {
    return this.#sent({ op: "click", ...this.#at(block, element), value });
  }

  async options(block, element, query) {
    return this.send({ op: "options", ...this.#at(block, element), query });
  }

  // True when something was entered that differs from what the app put there.
  get dirty() {
    for (const { block } of this.entries.values()) {
      for (const element of elementsOf(block)) {
        const key = keyOf(block.block_id, element.action_id);
        if (this.touched.has(key) && !same(this.values.get(key), initialValue(element))) return true;
      }
    }
    return false;
  }

  // Shows sentences beside inputs, by block_id, in place of all earlier ones.
  showErrors(errors) {
    let first = null;
    for (const [id, { node }] of this.entries) {
      if (!node.showError) continue;
      node.showError(errors[id] ?? null);
      if (errors[id]) first ??= node;
    }
    first?.querySelector("input, textarea, select, button")?.focus();
    first?.scrollIntoView({ block: "nearest" });
  }

  #touch(block, element, value) {
    const key = keyOf(block.block_id, element.action_id);
    this.values.set(key, value);
    this.touched.add(key);
    this.entries.get(block.block_id)?.node?.showError?.(null);
  }

  async #sent(op) {
    this.underway += 1;
    try {
      return await this.send(op);
    } finally {
      this.underway -= 1;
    }
  }

  #at(block, element) {
    return { surface: this.where, block_id: block.block_id, action_id: element.action_id };
  }
}

// Where the reader's eye and the keyboard are, so that both are in the same place after an update.
class Place {
  constructor(root) {
    this.root = root;
    this.scroller = root.closest("[data-scroll]");
    this.scroll = this.scroller?.scrollTop ?? 0;
    const active = root.contains(document.activeElement) ? document.activeElement : null;
    this.active = active;
    if (!active) return;
    this.data = { ...active.dataset };
    this.top = active.getBoundingClientRect().top;
    this.range = "selectionStart" in active ? readRange(active) : null;
  }

  restore() {
    if (this.scroller && this.scroller.scrollTop !== this.scroll) this.scroller.scrollTop = this.scroll;
    if (!this.active) return;
    const target = this.root.contains(this.active) ? this.active : this.#twin();
    if (!target) {
      this.root.closest("dialog")?.focus({ preventScroll: true });
      return;
    }
    if (document.activeElement !== target) {
      target.focus({ preventScroll: true });
      if (this.range && target !== this.active) writeRange(target, this.range);
    }
    if (this.scroller) this.scroller.scrollTop += target.getBoundingClientRect().top - this.top;
  }

  // The control that stands for the focused one now: the same block, else the same action in a renamed block.
  #twin() {
    const { block, action, value } = this.data;
    if (!action) return null;
    const all = [...this.root.querySelectorAll("[data-action]")].filter(
      (node) => node.dataset.action === action && node.dataset.value === value,
    );
    return all.find((node) => node.dataset.block === block) ?? all[0] ?? null;
  }
}

function readRange(input) {
  try {
    return [input.selectionStart, input.selectionEnd];
  } catch {
    return null;
  }
}

function writeRange(input, [start, end]) {
  try {
    input.setSelectionRange(start, end);
  } catch {
    // Number and date inputs have no selection.
  }
}
