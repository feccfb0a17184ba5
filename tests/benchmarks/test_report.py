"""What the benchmark writes: only between its marks, and pictures that can be shown."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import plots, report
from benchmarks.measuring import Row, Times, duration, size


def row(**values: object) -> Row:
    given: dict[str, object] = {
        "subject": "list, Not Created",
        "setting": "SQLite, 1,000 invoices",
        "value": 0.002,
        "text": "2 ms",
    }
    return Row(**given | values)  # type: ignore[arg-type]


def test_figures_are_replaced_and_the_words_around_them_stay(tmp_path: Path) -> None:
    page = tmp_path / "performance" / "figures.md"
    page.parent.mkdir()
    begin, end = report.FIGURES
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")

    report.write(tmp_path, [row(peer=0.2, peer_text="200 ms")], "a machine")

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| 100× | 2 ms |" in text


def test_a_target_that_is_missed_stands_out() -> None:
    assert "**no**" in report.table([row(target="1 ms", met=False)])


def test_a_picture_is_svg_whatever_the_names() -> None:
    picture = plots.bars(
        "a < b & c", [('"quoted" <group>', [("Paylink", 0.001, "1 ms"), ("peer", 1, "1 s")])], 0.01
    )

    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_times_are_told_by_median_quartiles_and_percentile() -> None:
    times = Times(tuple(number / 1000 for number in range(1, 101)))

    assert times.percentile(99) == 0.1
    assert times.text == "50.5 ms (26 ms–76 ms)"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (duration(0.00005), "50 µs"),
        (duration(2.5), "2.5 s"),
        (size(1536), "1.5 KiB"),
        (size(100 * 1024**2), "100 MiB"),
    ],
)
def test_units_fit_what_is_measured(said: str, expected: str) -> None:
    assert said == expected
