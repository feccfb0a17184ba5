"""Download: a choice of two formats, one message with its file; and when Slack doesn't take it nothing is left half done."""

from typing import Any

import pytest

from handlers.bolt import files
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice
from tests.handlers.shapes import buttons


@pytest.fixture
async def listed(bench: Bench) -> Bench:
    bench.invoices(invoice(1))
    await bench.command("/invoices")
    return bench


def direct_messages(bench: Bench) -> list[str]:
    return [message.text for message in bench.workspace.dms(bench.anna)]


@pytest.mark.parametrize(
    ("label", "name", "content"),
    [
        ("Excel", "billing-invoices.xlsx", b"xlsx\nnot_created,\n"),
        ("CSV", "billing-invoices.csv", b"csv\nnot_created,\n"),
    ],
)
async def test_the_file_comes_as_one_message_and_the_modal_says_where(
    listed: Bench, label: str, name: str, content: bytes
) -> None:
    await listed.press("Download")
    assert buttons(listed.top.payload) == ["Excel", "CSV"]
    assert "All pages of the list: Not Created." in listed.shown

    await listed.press(label)

    assert f"{name} is in your direct messages" in listed.shown
    [message] = listed.workspace.dms(listed.anna)
    assert message.text == f"Billing invoices as {label}: Not Created."
    assert [file["name"] for file in message.files] == [name]
    assert [file.content for file in listed.workspace.files] == [content]
    assert listed.refused_calls() == []


async def test_a_modal_that_is_closed_meanwhile_stops_nothing(
    listed: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await listed.press("Download")
    choice = listed.top.id
    post_bytes = files.post_bytes

    async def close_then_post(*args: Any) -> None:
        assert "billing-invoices.csv is being made" in listed.shown
        await listed.workspace.close(listed.anna, choice)
        await post_bytes(*args)

    monkeypatch.setattr(files, "post_bytes", close_then_post)
    await listed.press("CSV")
    assert direct_messages(listed) == ["Billing invoices as CSV: Not Created."]


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("missing_scope", "files:write"),
        ("internal_error", "Slack didn't answer"),
        ("posting_to_general_channel_denied", "Something went wrong"),
    ],
)
async def test_what_fails_leaves_no_message_and_offers_the_choice_again(
    listed: Bench, method: str, error: str, words: str
) -> None:
    await listed.press("Download")
    listed.slack.faults.add(method=method, do="error", error=error)

    await listed.press("CSV")

    assert direct_messages(listed) == []
    assert words in listed.shown
    await listed.press("CSV")
    assert direct_messages(listed) == ["Billing invoices as CSV: Not Created."]


async def test_a_refused_upload_leaves_no_message(listed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("handlers.bolt.files.post_bytes", refuse)
    await listed.press("Download")

    await listed.press("Excel")

    assert direct_messages(listed) == []
    assert "Slack didn't answer" in listed.shown


async def test_where_no_files_are_made_it_says_so(listed: Bench) -> None:
    object.__setattr__(listed.app.office, "export", None)
    await listed.press("Download")
    assert "paylink export" in listed.shown
