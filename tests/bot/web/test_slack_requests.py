"""What comes from Slack over HTTP: what is taken, every refusal, and no 5xx for whatever is sent."""

import asyncio
import gzip
import json
import random
import time
from typing import Any
from urllib.parse import urlencode

from bot.web.guard import MOST_BYTES
from tests.bot.web.receiver import JSON, Server, command, server, sign_slack

__all__ = ["server"]


async def test_a_signed_command_reaches_the_app_and_its_answer_goes_back(server: Server) -> None:
    assert await server.slack(command("INV-1")) == (200, "seen")
    assert server.commands == ["INV-1"]


async def test_a_command_whose_text_says_payload_reaches_the_app(server: Server) -> None:
    assert (await server.slack(command("payload")))[0] == 200
    assert server.commands == ["payload"]


async def test_what_slack_did_not_sign_is_refused_with_401(server: Server) -> None:
    body = command("INV-1")

    assert (await server.slack(body, signed=False))[0] == 401
    assert (await server.slack(body, sign_slack(b"another")))[0] == 401
    assert (await server.slack(body, sign_slack(body, timestamp=str(int(time.time()) - 301))))[0] == 401
    assert server.commands == []


async def test_a_signed_body_without_a_shape_of_slacks_is_refused_with_400(server: Server) -> None:
    assert (await server.slack(b"payload=[]"))[0] == 400
    assert (await server.slack(b"{}", {"Content-Type": "text/plain"}))[0] == 400
    assert (await server.slack(b'{"team": 7, "type": "block_actions"}', JSON))[0] == 400
    assert (await server.slack(command("x", response_url="https://evil.example/")))[0] == 400
    assert server.commands == []


async def test_a_body_that_is_too_large_is_refused_unread(server: Server) -> None:
    assert (await server.slack(b"a" * (MOST_BYTES + 1)))[0] == 400


async def test_a_broken_transfer_is_refused(server: Server) -> None:
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for rest in (b"ZZZ\r\n\r\n", b"5\r\nab", b"5\r\nabcdefgh\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        writer.write(head + rest)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        assert not answer or b" 40" in answer.split(b"\r\n", 1)[0], answer

    assert await server.slack(command("INV-1")) == (200, "seen")


async def test_a_compressed_body_is_refused(server: Server) -> None:
    assert (await server.slack(b"not gzip", JSON | {"Content-Encoding": "gzip"}))[0] == 400
    assert (await server.slack(gzip.compress(b"a" * 5_000_000), {"Content-Encoding": "gzip"}))[0] == 400


async def test_a_listener_that_fails_gives_no_5xx(server: Server) -> None:
    assert (await server.slack(command("fail")))[0] == 400


async def test_slacks_check_of_the_certificate_is_answered(server: Server) -> None:
    assert (await server.slack(urlencode({"ssl_check": "1", "token": "x"}).encode()))[0] == 200


async def test_slacks_check_of_the_address_is_answered(server: Server) -> None:
    status, text = await server.slack(
        json.dumps({"type": "url_verification", "challenge": "abc"}).encode(), JSON
    )

    assert status == 200
    assert "abc" in text


async def test_slack_hears_that_the_bot_is_starting(server: Server) -> None:
    server.begun = False

    assert (await server.slack(command("INV-1")))[0] == 503


async def test_mutated_requests_are_refused_or_taken_but_never_fail(server: Server) -> None:
    randomness = random.Random(7)
    view = {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": "U1", "team_id": "T1"},
        "view": {"id": "V1", "callback_id": "list", "state": {"values": {}}, "private_metadata": "1"},
    }
    action = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "actions": [{"action_id": "a", "block_id": "b", "value": "1"}],
        "response_url": "https://hooks.slack.com/actions/1",
    }
    seeds: list[dict[str, Any]] = [
        view,
        action,
        {"type": "event_callback", "event": {"type": "x"}, "team_id": "T1"},
    ]
    values: list[Any] = [None, 0, -1, 1.5, True, "", "x" * 5000, [], [[]], {}, {"id": {}}, "\u202e", [None]]
    for _ in range(400):
        payload = json.loads(json.dumps(randomness.choice(seeds)))
        place = payload
        while True:
            key = randomness.choice(list(place))
            if isinstance(place[key], dict) and place[key] and randomness.random() < 0.6:
                place = place[key]
                continue
            place[key] = randomness.choice(values)
            break
        body = urlencode({"payload": json.dumps(payload)}).encode()
        if randomness.random() < 0.2:
            cut = randomness.randrange(len(body))
            body = body[:cut] + bytes([randomness.randrange(256)]) + body[cut + 1 :]

        status, _text = await server.slack(body, signed=randomness.random() < 0.8)
        assert status < 500, payload

    assert await server.slack(command("INV-1")) == (200, "seen")
