"""The local Stripe as a process of its own, controlled over HTTP, and its memory between runs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stripe

from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    Clock,
    client_fixture,
    clock_fixture,
    http_fixture,
    link_params,
    sdk,
    server_fixture,
)
from tests.patience import PATIENCE, quiet_port


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[dict[str, Any]]:
    """A running one and what it said of itself; ended by SIGTERM."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.stripe", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    yield json.loads(await running.stdout.readline())
    running.terminate()
    assert await running.wait() == 0


async def test_a_process_serves_is_controlled_over_http_and_remembers(tmp_path: Path) -> None:
    data = str(tmp_path / "world" / "stripe.json")
    async with process("--data", data, "--merchant", "Acme", "--port", str(quiet_port())) as facts:
        http = stripe.AIOHTTPClient(timeout=PATIENCE)
        client = stripe.StripeClient(
            facts["api_key"], http_client=http, base_addresses={"api": facts["api_url"]}
        )
        link = await client.v1.payment_links.create_async(link_params(), {"idempotency_key": "key-1"})
        async with aiohttp.ClientSession(facts["api_url"]) as control:
            paid = await (await control.post("/_local/pay", json={"target": link.url})).json()
            assert paid["payment_status"] == "paid"
            assert [item["id"] for item in await (await control.get("/_local/links")).json()] == [link.id]
            requests = await (await control.get("/_local/requests")).json()
            assert [(item["method"], item["path"], item["status"]) for item in requests] == [
                ("POST", "/v1/payment_links", 200)
            ]
        await http.close_async()  # type: ignore[no-untyped-call]
    async with process("--data", data) as again:
        assert again["port"] == facts["port"]
        http = stripe.AIOHTTPClient(timeout=PATIENCE)
        client = stripe.StripeClient(
            again["api_key"], http_client=http, base_addresses={"api": again["api_url"]}
        )
        assert (
            await client.v1.payment_links.create_async(link_params(), {"idempotency_key": "key-1"})
        ).id == link.id
        assert len((await client.v1.payment_links.list_async()).data) == 1
        events = await client.v1.events.list_async({"type": "checkout.session.completed"})
        assert [event.data.object["id"] for event in events.data] == [paid["id"]]
        await http.close_async()  # type: ignore[no-untyped-call]


async def test_everything_survives_in_the_data_file(tmp_path: Path, clock: Clock) -> None:
    data = tmp_path / "stripe.json"
    async with LocalStripe(data=data, clock=clock) as first, sdk(first) as client:
        first.add_key("rk_test_0123456789abcdef", permissions={"rak_event_read"})
        endpoint = first.add_webhook("http://127.0.0.1:9/hook", enabled_events=["price.updated"])
        link = await client.v1.payment_links.create_async(link_params())
        await client.v1.payment_links.create_async(
            link_params(), {"api_key": first.add_key("sk_live_0123456789abcdef").secret}
        )
        opened = await first.open_session(link.id)
        first.advance(100)
    assert data.stat().st_mode & 0o777 == 0o600
    async with LocalStripe(data=data, clock=clock) as second:
        for livemode in (False, True):
            for kind in ("payment_link", "checkout.session", "product", "price", "event", "webhook_endpoint"):
                before, after = (server.objects(kind, livemode=livemode) for server in (first, second))
                assert after == before
        assert second.now() == first.now()
        assert second.key("rk_test_0123456789abcdef").permissions == frozenset({"rak_event_read"})
        assert second.roll_secret(endpoint["id"], new="whsec_new") == "whsec_new"
        assert (await second.pay(opened["id"]))["status"] == "complete"
        assert (
            await second.expire((await second.open_session(second.links(livemode=True)[0]["url"]))["id"])
        )["livemode"]
        await asyncio.sleep(0)


async def test_pages_move_with_the_address_when_the_port_is_taken(tmp_path: Path) -> None:
    data = tmp_path / "stripe.json"
    async with LocalStripe(data=data, port=quiet_port()) as first, sdk(first) as client:
        await client.v1.payment_links.create_async(link_params())
    async with LocalStripe(port=first.port), LocalStripe(data=data) as moved:
        assert moved.port != first.port
        assert moved.links()[0]["url"].startswith(moved.public_url)
        assert (await moved.pay(moved.links()[0]["url"]))["status"] == "complete"


async def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "stripe.json"
    data.write_text('{"form": 0}')
    with pytest.raises(ValueError, match=r"stripe\.json was not written by this version"):
        await LocalStripe(data=data).start()
    assert data.read_text() == '{"form": 0}'


async def test_all_that_python_can_do_can_be_done_over_http(
    http: aiohttp.ClientSession, server: LocalStripe, client: stripe.StripeClient
) -> None:
    async def post(action: str, **given: Any) -> Any:
        answer = await http.post(f"/_local/{action}", json=given)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    await post("rules", late_sessions_complete=True, merchant="Acme")
    await post("limits", endpoint=1000)
    await post("event_rules", duplicate=1.0)
    await post("webhook_rules", retry_after=[])
    link = await client.v1.payment_links.create_async(
        link_params(restrictions={"completed_sessions": {"limit": 5}})
    )
    session = await post("open", target=link.id)
    await post("decline", target=session["id"])
    paid = await post("pay", target=session["id"], amount=7, currency="eur")
    assert (paid["amount_total"], paid["currency"]) == (7, "eur")
    waiting = await post("pay", target=link.url, unpaid=True)
    await post("settle", target=waiting["id"], succeeded=True)
    refund = await post("refund", target=paid["payment_intent"], amount=3, status="pending")
    failed = await post("change_refund", target=refund["id"], status="failed", failure_reason="declined")
    assert (failed["status"], failed["failure_reason"]) == ("failed", "declined")
    inquiry = await post("dispute", target=paid["payment_intent"], status="warning_needs_response")
    assert (await post("submit_evidence", target=inquiry["id"]))["status"] == "warning_under_review"
    assert not (await post("deactivate", target=link.url))["active"]
    assert (await post("reactivate", target=link.id))["active"]
    assert (await post("copy_link", target=link.id, amount=800))["metadata"] == link.metadata.to_dict()
    assert (await post("webhooks", url="http://127.0.0.1:9/", payload="thin"))["secret"]
    await post("keys", secret="rk_test_fedcba9876543210", account="acct_b", without=["rak_event_read"])
    assert server.key("rk_test_fedcba9876543210").account == "acct_b"
    assert not server.key("rk_test_fedcba9876543210").allows("rak_event_read")
    dispute = await post("dispute", target=waiting["id"])
    assert (await post("change_dispute", target=dispute["id"], status="lost"))["status"] == "lost"
    await post("expire", target=(await post("open", target=link.id))["id"])
    before = server.now()
    assert (await post("clock", advance=3600))["now"] >= before + 3600
    await post("keys", secret="rk_test_0123456789abcdef", permissions=["rak_event_read"])
    await post("keys", secret="rk_test_0123456789abcdef", revoked=True)
    assert server.key("rk_test_0123456789abcdef").revoked
    assert server.rules.merchant == "Acme"
    await post("outage")
    assert (await (await http.get("/_local/charges")).json())[-1]["disputed"]
    events = [event["type"] for event in await (await http.get("/_local/events")).json()]
    assert events.count("charge.dispute.closed") == 2


@pytest.mark.parametrize(
    ("action", "given", "status"),
    [
        ("pay", {"target": "cs_test_none"}, 404),
        ("pay", {}, 404),
        ("pay", {"target": "plink_none", "colour": "red"}, 400),
        ("fly", {}, 404),
        ("rules", {"colour": "red"}, 400),
        ("keys", {"secret": "hunter2"}, 400),
    ],
)
async def test_mistakes_in_control_are_answered(
    http: aiohttp.ClientSession, action: str, given: dict[str, Any], status: int
) -> None:
    answer = await http.post(f"/_local/{action}", json=given)
    assert answer.status == status
    assert "error" in await answer.json()


async def test_refusals_of_the_buyer_are_answered(
    http: aiohttp.ClientSession, server: LocalStripe, client: stripe.StripeClient
) -> None:
    link = await client.v1.payment_links.create_async(link_params())
    await server.pay(link.id)
    answer = await http.post("/_local/pay", json={"target": link.url})
    assert (answer.status, (await answer.json())["error"]) == (409, "This invoice was paid.")
