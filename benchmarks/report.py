"""The figures as a table, plots and JSON, and their places in docs/."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import plots
from benchmarks.measuring import Row, Times, duration

GROWING = (
    "import",
    "on disk, an invoice",
    "one invoice",
    "list, Not Created",
    "search a letter, Not Created",
)
# Measured at one size alone, which may be a smaller one: it takes ten minutes.
LONGEST = "growth over"
FIGURES = "<!-- figures: begin -->", "<!-- figures: end -->"
RATIOS = "<!-- ratios: begin -->", "<!-- ratios: end -->"


def timed(
    subject: str, setting: str, times: Times, *, target: float | None = None, peer: Times | None = None
) -> Row:
    return Row(
        subject=subject,
        setting=setting,
        value=times.median,
        text=times.text,
        target=f"{duration(target)}" if target else "",
        met=times.median <= target if target else None,
        peer=peer.median if peer else None,
        peer_text=peer.text if peer else "",
    )


def table(rows: Sequence[Row]) -> str:
    lines = [
        "| what | where | the obvious bot ÷ Paylink | Paylink | target | met | the obvious bot |",
        "| --- | --- | ---: | ---: | ---: | --- | ---: |",
    ]
    for row in rows:
        met = {None: "", True: "yes", False: "**no**"}[row.met]
        lines.append(
            f"| {row.subject} | {row.setting} | {row.ratio} | {row.text} | {row.target} | {met} | {row.peer_text} |"
        )
    return "\n".join(lines)


def write(directory: Path, rows: Sequence[Row], machine: str) -> None:
    """Plots and JSON into the folder performance of ``directory``, the table into its page figures.md between its marks."""
    pictures = directory / "performance"
    pictures.mkdir(parents=True, exist_ok=True)
    for name, title, chosen in _plots(rows):
        groups = [
            (
                _label(row, chosen),
                [("Paylink", row.value, row.text.partition(" (")[0])]
                + ([("the obvious bot", row.peer, row.peer_text.partition(" (")[0])] if row.peer else []),
            )
            for row in chosen
        ]
        if groups:
            (pictures / f"{name}.svg").write_text(plots.bars(title, groups), encoding="utf-8")
    figures = {"machine": machine, "rows": [row.__dict__ for row in rows]}
    (pictures / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    put(pictures / "figures.md", FIGURES, f"Measured on {machine}.\n\n{table(_worth_reading(rows))}\n")


def put(page: Path, marks: tuple[str, str], body: str) -> None:
    """Into a page between its marks."""
    begin, end = marks
    text = page.read_text(encoding="utf-8") if page.exists() else f"# Performance\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{body}{end}{after}", encoding="utf-8")


def _worth_reading(rows: Sequence[Row]) -> list[Row]:
    """All at the most invoices, and of fewer what shows how things grow; figures.json has the rest."""
    most = max((_size(row.setting) for row in rows), default=0)
    return [
        row
        for row in rows
        if _size(row.setting) == most or row.subject in GROWING or row.subject.startswith(LONGEST)
    ]


def _plots(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    largest = max((row.setting for row in rows if "invoices" in row.setting), key=_size, default="")
    at_most = [row for row in rows if _size(row.setting) == _size(largest)]
    return [
        (
            "queries",
            "Database time at the most invoices",
            [
                row
                for row in at_most
                if row.subject.startswith(("one", "list", "Home", "search")) and row.peer
            ],
        ),
        (
            "growth",
            "A page of the list as invoices grow",
            [r for r in rows if r.subject == "list, Not Created"],
        ),
        (
            "limits",
            "Against the services' limits",
            [r for r in rows if r.subject.startswith(("100 links", "command"))],
        ),
    ]


def _label(row: Row, beside: Sequence[Row]) -> str:
    """The database always, and how many invoices where that differs in the picture."""
    same = len({_size(other.setting) for other in beside}) == 1
    return (
        f"{row.subject} · {row.setting.partition(',')[0] if same else row.setting.partition(' invoices')[0]}"
    )


def _size(setting: str) -> int:
    digits = "".join(char for char in setting.partition(" invoices")[0] if char.isdigit())
    return int(digits or 0)
