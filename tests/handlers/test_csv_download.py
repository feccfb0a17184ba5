"""Download CSV when Slack doesn't take the file: nothing is left half done, and people are told why."""

import pytest

from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice


@pytest.fixture
async def listed(bench: Bench) -> Bench:
    bench.invoices(invoice(1))
    await bench.command("/invoices")
    return bench


def direct_messages(bench: Bench) -> list[str]:
    return [message.text for message in bench.workspace.dms(bench.anna)]


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("error", "words"), [("missing_scope", "files:write"), ("internal_error", "Something went wrong")]
)
async def test_what_fails_leaves_no_message_without_its_file(
    listed: Bench, method: str, error: str, words: str
) -> None:
    listed.slack.faults.add(method=method, do="error", error=error)

    await listed.press("Download CSV")

    assert direct_messages(listed) == []
    assert words in listed.shown


async def test_a_refused_upload_leaves_no_message(listed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("handlers.features.csv_download._post_bytes", refuse)

    await listed.press("Download CSV")

    assert direct_messages(listed) == []
    assert "Slack didn't answer" in listed.shown


async def test_a_message_that_cant_be_taken_back_hides_no_reason(listed: Bench) -> None:
    listed.slack.faults.add(method="files.completeUploadExternal", do="error", error="missing_scope")
    listed.slack.faults.add(method="chat.delete", do="error", error="internal_error")

    await listed.press("Download CSV")

    assert "files:write" in listed.shown
    assert listed.log.named("message.not_taken_back") == [{"error": "SlackApiError"}]
