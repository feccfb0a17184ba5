// Keeps a popup beside its anchor while the page scrolls or changes its size.

const GAP = 4;

// Places `popup` (position: fixed) under `target`, or above it where there is more room. Returns a function that lets go.
// A popup whose anchor is gone goes with it.
export function anchor(popup, target) {
  const place = () => {
    if (!target.isConnected) {
      popup.remove();
      return;
    }
    const box = target.getBoundingClientRect();
    const below = window.innerHeight - box.bottom - GAP - 8;
    const above = box.top - GAP - 8;
    const wanted = Math.min(popup.scrollHeight + 2, 320);
    const up = below < wanted && above > below;
    popup.style.maxHeight = `${Math.max(80, Math.min(320, up ? above : below))}px`;
    popup.style.minWidth = `${box.width}px`;
    popup.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - popup.offsetWidth - 8))}px`;
    popup.style.top = up ? "auto" : `${box.bottom + GAP}px`;
    popup.style.bottom = up ? `${window.innerHeight - box.top + GAP}px` : "auto";
  };
  place();
  window.addEventListener("resize", place);
  window.addEventListener("scroll", place, true);
  const watch = new ResizeObserver(place);
  watch.observe(popup);
  watch.observe(target);
  return () => {
    window.removeEventListener("resize", place);
    window.removeEventListener("scroll", place, true);
    watch.disconnect();
  };
}

// Where what opens at `target` belongs: into the dialog or the part of the page that it stands in.
export function floor(target) {
  return target.closest("dialog, main, header.top") ?? document.body;
}
