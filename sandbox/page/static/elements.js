// Block Kit's interactive elements as real controls. `at` says where an element stands: {block, surface, and for
// inputs controlId, labelledBy, describedBy, dispatches, isInput; for others label}.

import { confirmed } from "./confirm.js";
import { combobox } from "./combobox.js";
import { el, freshId } from "./dom.js";
import { openMenu } from "./menu.js";
import { plainText, safeUrl, textNodes } from "./text.js";

export function renderElement(element, at) {
  const draw = ELEMENTS[element.type];
  return draw ? draw(element, at) : el("span", { class: "muted" }, `(${element.type})`);
}

const ELEMENTS = {
  button,
  overflow,
  checkboxes: (element, at) => choices("checkbox", element, at),
  radio_buttons: (element, at) => choices("radio", element, at),
  plain_text_input: (element, at) => textInput(element.multiline ? "textarea" : "text", element, at),
  url_text_input: (element, at) => textInput("url", element, at),
  email_text_input: (element, at) => textInput("email", element, at),
  number_input: (element, at) => textInput("number", element, at),
  datepicker: (element, at) => moment("date", element, at),
  timepicker: (element, at) => moment("time", element, at),
  file_input: fileInput,
  image: (element) => el("span", { class: "picture-text", role: "img", "aria-label": element.alt_text }, element.alt_text),
};
for (const kind of ["static", "external", "users", "channels", "conversations"]) {
  ELEMENTS[`${kind}_select`] = combobox;
  ELEMENTS[`multi_${kind}_select`] = combobox;
}

// What updates look for to put the keyboard back, and what tells two controls apart.
export function marks(element, at, value = null) {
  return { block: at.block.block_id, action: element.action_id, value };
}

// Carries out `send` unless its confirmation is refused; meanwhile the control is busy, afterwards a failure stands beside it.
export async function perform(control, element, send) {
  control.parentElement?.querySelector(":scope > .action-failed")?.remove();
  if (element.confirm && !(await confirmed(element.confirm))) return false;
  control.setAttribute("aria-busy", "true");
  const outcome = await send();
  control.removeAttribute("aria-busy");
  if (outcome.ok || !outcome.shown) return true;
  control.after(el("span", { class: "action-failed", role: "alert" }, `⚠️ ${outcome.shown}`));
  return true;
}

function button(element, at) {
  const url = element.url ? safeUrl(element.url) : null;
  const attributes = {
    class: ["button", element.style].filter(Boolean).join(" "),
    data: marks(element, at, element.value ?? ""),
    "aria-label": element.accessibility_label,
  };
  const press = () => perform(node, element, () => at.surface.press(at.block, element));
  let node;
  if (url) {
    const link = { ...attributes, role: "button", href: url, target: "_blank", rel: "noopener noreferrer", draggable: "false" };
    node = el("a", link, plainText(element.text));
    node.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      node.click();
    });
  } else {
    node = el("button", { ...attributes, type: "button" }, plainText(element.text));
  }
  node.addEventListener("click", () => {
    if (node.getAttribute("aria-busy")) return;
    press();
  });
  return node;
}

function overflow(element, at) {
  const node = el(
    "button",
    { class: "button overflow", type: "button", "aria-label": "More actions", "aria-haspopup": "menu", data: marks(element, at) },
    "⋯",
  );
  node.addEventListener("click", () => {
    openMenu(node, element.options.map((option) => ({
      label: plainText(option.text),
      description: plainText(option.description),
      choose: () => {
        if (option.url && safeUrl(option.url)) window.open(option.url, "_blank", "noopener");
        perform(node, element, () => at.surface.press(at.block, element, option.value));
      },
    })));
  });
  return node;
}

function choices(kind, element, at) {
  const name = freshId("choice");
  const ticked = at.surface.value(at.block, element);
  const isTicked = (value) => (Array.isArray(ticked) ? ticked.includes(value) : ticked === value);
  const role = kind === "radio" ? "radiogroup" : "group";
  const attributes = { class: "choices", role, "aria-labelledby": at.labelledBy, "aria-label": at.label, "aria-describedby": at.describedBy };
  const group = el("div", at.controlId ? { ...attributes, id: at.controlId } : attributes);
  const changed = (event) => {
    const values = [...group.querySelectorAll("input:checked")].map((box) => box.value);
    const value = kind === "radio" ? (values[0] ?? null) : values;
    perform(event.target.closest(".choice"), element, () => at.surface.change(at.block, element, value));
  };
  for (const option of element.options) {
    const textId = freshId("option");
    const described = option.description ? freshId("described") : null;
    const box = el("input", {
      type: kind, name, value: option.value, "aria-labelledby": textId, "aria-describedby": described,
      data: marks(element, at, option.value), on: { change: changed },
    });
    box.checked = isTicked(option.value);
    const words = el(
      "span",
      { class: "choice-words" },
      el("span", { id: textId, class: "choice-text" }, textNodes(option.text)),
      described ? el("span", { id: described, class: "choice-description" }, textNodes(option.description)) : null,
    );
    group.append(el("label", { class: "choice" }, box, words));
  }
  return group;
}

function enterDispatches(element, at) {
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  return at.dispatches && triggers.includes("on_enter_pressed");
}

function textInput(kind, element, at) {
  const area = kind === "textarea";
  const onEnter = enterDispatches(element, at);
  const hint = onEnter ? el("span", { class: "enter-hint", id: freshId("enter") }, "Press Enter ↵") : null;
  const node = el(area ? "textarea" : "input", {
    id: at.controlId, class: "text-input", placeholder: plainText(element.placeholder),
    // A number stays text, so that what people typed reaches the workspace as it is and is refused there with a sentence.
    type: area ? null : kind === "number" ? "text" : kind,
    inputmode: kind === "number" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null,
    rows: area ? "4" : null, maxlength: element.max_length, autocomplete: "off", spellcheck: area ? null : "false",
    "aria-describedby": [at.describedBy, hint?.id].filter(Boolean).join(" ") || null,
    data: { ...marks(element, at), enter: onEnter ? "dispatch" : null },
  });
  node.value = at.surface.value(at.block, element) ?? "";
  node.addEventListener("input", () => at.surface.type(at.block, element, node.value));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !onEnter || (area && event.shiftKey)) return;
    event.preventDefault();
    perform(node, element, () => at.surface.type(at.block, element, node.value, true));
  });
  return hint ? el("div", { class: "with-enter" }, node, hint) : node;
}

function moment(kind, element, at) {
  const node = el("input", {
    id: at.controlId, type: kind, class: "text-input", data: marks(element, at), "aria-describedby": at.describedBy,
    "aria-label": at.controlId ? null : (at.label ?? plainText(element.placeholder) ?? kind),
  });
  node.value = at.surface.value(at.block, element) ?? "";
  node.addEventListener("change", () => {
    perform(node, element, () => at.surface.change(at.block, element, node.value || null));
  });
  return node;
}

// Files go to the workspace as soon as they are chosen, and the form holds their ids; what is in it stands underneath.
function fileInput(element, at) {
  const several = (element.max_files ?? 10) > 1;
  const list = el("ul", { class: "chosen-files", "aria-label": "Chosen files" });
  const failed = el("span", { class: "action-failed", role: "alert" });
  const node = el("input", {
    id: at.controlId, type: "file", class: "file-input", multiple: several, "aria-describedby": at.describedBy,
    accept: element.filetypes?.map((kind) => `.${kind}`).join(",") ?? null, data: marks(element, at),
  });
  const show = () => list.replaceChildren(...at.surface.files(at.block, element).map(card));
  const put = async (files) => {
    const outcome = await at.surface.change(at.block, element, files.map((file) => file.id));
    at.surface.remember(at.block, element, outcome.errors?.[at.block.block_id] ? [] : files);
    failed.textContent = outcome.errors?.[at.block.block_id] ?? outcome.shown ?? "";
    show();
  };
  const card = (file) => {
    const others = () => put(at.surface.files(at.block, element).filter((each) => each.id !== file.id));
    const remove = el("button", { class: "chip-remove", type: "button", "aria-label": `Remove ${file.name}`, on: { click: others } }, "✕");
    return el("li", { class: "chip" }, file.name, remove);
  };
  node.addEventListener("change", async () => {
    node.setAttribute("aria-busy", "true");
    failed.textContent = "";
    const there = several ? at.surface.files(at.block, element) : [];
    for (const file of node.files) {
      const outcome = await at.surface.upload(file);
      if (outcome.ok) there.push({ id: outcome.file, name: file.name });
      else failed.textContent = outcome.shown;
    }
    node.removeAttribute("aria-busy");
    if (!failed.textContent) await put(there);
    node.value = "";
  });
  show();
  return el("div", { class: "file-choice" }, node, list, failed);
}
