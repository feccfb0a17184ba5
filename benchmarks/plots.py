"""Bar charts on a logarithmic scale, as SVG that shows itself on light and dark pages alike."""

import math
from collections.abc import Sequence
from html import escape

WIDTH, LEFT, BAR, GAP = 860, 370, 15, 12
COLOURS = ("#2f6fde", "#c98b27")


def bars(
    title: str, groups: Sequence[tuple[str, Sequence[tuple[str, float, str]]]], target: float | None = None
) -> str:
    """``groups``: what was measured, and in it each bot's name, value and the value's text. ``target`` is a line."""
    values = [value for _, group in groups for _, value, _ in group if value > 0] + (
        [target] if target else []
    )
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.01)
    scale = (WIDTH - LEFT - 190) / max(high - low, 1)
    parts, top = [], 64
    for label, group in groups:
        middle = top + len(group) * BAR / 2 + 4
        parts.append(f'<text x="{LEFT - 10}" y="{middle:.0f}" text-anchor="end">{escape(label)}</text>')
        for name, value, text in group:
            length = max((math.log10(value) - low) * scale, 2) if value > 0 else 0
            colour = COLOURS[0 if name == "Paylink" else 1]
            parts.append(
                f'<rect x="{LEFT}" y="{top}" width="{length:.0f}" height="{BAR - 2}" fill="{colour}"/>'
            )
            parts.append(
                f'<text x="{LEFT + length + 6:.0f}" y="{top + BAR - 4}" class="small">{escape(text)}</text>'
            )
            top += BAR
        top += GAP
    if target:
        at = LEFT + (math.log10(target) - low) * scale
        parts.append(
            f'<line x1="{at:.0f}" x2="{at:.0f}" y1="56" y2="{top}" stroke="#c0392b" stroke-dasharray="4 3"/>'
        )
        parts.append(f'<text x="{at:.0f}" y="52" text-anchor="middle" class="small">target</text>')
    names = dict.fromkeys(name for _, group in groups for name, _, _ in group)
    for place, name in enumerate(names):
        x = LEFT + place * 150
        colour = COLOURS[0 if name == "Paylink" else 1]
        parts.append(f'<rect x="{x}" y="30" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="39" class="small">{escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" aria-label="{escape(title)}">\n'
        "<style>text{font:13px system-ui,sans-serif;fill:#6b7280}.small{font-size:11px}.title{font-weight:600}</style>\n"
        f'<text x="0" y="18" class="title">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )
