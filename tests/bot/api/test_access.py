"""Who is let in, how often, and that nothing of a token gets out."""

import asyncio
from collections import Counter

import pytest
import sqlalchemy as sa
from aiohttp import web
from yarl import URL

from bot.api import requests
from bot.api.access import ATTEMPTS, Access
from bot.api.application import Api
from bot.api.problems import Problem
from bot.web.stopping import clean_up
from domain.models import AuditEntry
from domain.programs import tokens
from domain.programs.tokens import PROGRAM_RIGHTS, Program
from domain.states import Right
from domain.summaries import Actor
from tests.bot.api.conftest import Client, Served, invoice, serve
from tests.databases import on_sqlite
from tests.domain.factories import TEAM, make_invoice, make_organisation
from tests.domain.world import World

EVERYTHING = [
    ("GET", "/invoices"),
    ("PUT", "/invoices"),
    ("GET", "/invoices/A-1"),
    ("POST", "/invoices/A-1/payment-link"),
    ("GET", "/events"),
]


@on_sqlite
@pytest.mark.parametrize(("method", "path"), EVERYTHING)
async def test_without_a_valid_token_nobody_is_let_in(served: Served, method: str, path: str) -> None:
    stranger = served.bearing(None)
    for header in (None, "", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer paylink_x_y"):
        sent = {} if header is None else {"Authorization": header}
        answer = await stranger.ask(method, path, headers=sent)
        assert (answer.status, answer.problem) == (401, "unauthorized"), header
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="paylink"'


async def test_a_revoked_token_is_out_at_once(served: Served) -> None:
    assert (await served.ours.get("/events")).status == 200
    served.world.db.run(tokens.revoke, TEAM, "ours")
    assert (await served.ours.get("/events")).status == 401


@pytest.mark.parametrize("right", PROGRAM_RIGHTS)
@on_sqlite
async def test_a_token_may_do_what_it_has_the_right_for(served: Served, right: Right) -> None:
    program = served.client(right, name=right.value)
    answers = [(method, await program.ask(method, path)) for method, path in EVERYTHING]
    allowed = {method for method, answer in answers if answer.problem_or_none != "forbidden"}
    assert allowed == {Right.LOOK: {"GET"}, Right.CREATE: {"POST"}, Right.IMPORT: {"PUT"}}[right]
    assert all(answer.status < 500 for _, answer in answers)
    refused = sa.select(sa.func.count()).where(
        AuditEntry.action == "act.refused", AuditEntry.actor == f"token:{right}"
    )
    counted = served.world.db.run(lambda session: session.scalar(refused))
    assert counted == sum(answer.status == 403 for _, answer in answers)


@on_sqlite
async def test_a_token_that_may_only_create_gets_the_link_that_it_asks_for(served: Served) -> None:
    make_invoice(served.world.db, "INV-1")
    program = served.client(Right.CREATE, name="books")
    made = await program.ask("POST", "/invoices/INV-1/payment-link")
    assert made.status == 201
    assert (await program.ask("GET", "/invoices/INV-1")).status == 403


@on_sqlite
async def test_twenty_requests_a_second(world: World) -> None:
    watch = Watch()
    async with serve(world, per_second=20, clock=watch) as served:
        answers = await asyncio.gather(*(served.ours.get("/invoices/A-1") for _ in range(45)))
        assert Counter(answer.status for answer in answers) == {404: 20, 429: 25}
        late = next(answer for answer in answers if answer.status == 429)
        assert (late.problem, late.headers["Retry-After"]) == ("too-many-requests", "1")
        # Each token has its own.
        assert (await served.theirs.get("/invoices/A-1")).status == 404
        watch.now += 1.0
        assert (await served.ours.get("/invoices/A-1")).status == 404


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def admit(token: str) -> Program | None:
    if not token.startswith("good"):
        return None
    return Program(1, Actor(TEAM, "token:x"), frozenset(Right), is_used_anew=False)


async def try_out(access: Access, token: str, address: str = "192.0.2.1") -> int:
    try:
        await access.enter(f"Bearer {token}", address)
    except Problem as problem:
        return problem.status
    return 200


async def test_whoever_tries_tokens_is_slowed_down_and_nobody_else() -> None:
    watch = Watch()
    access = Access(admit, clock=watch)
    assert await try_out(access, "good") == 200
    assert [await try_out(access, f"bad{n}") for n in range(ATTEMPTS)] == [401] * ATTEMPTS
    assert await try_out(access, "bad") == 429
    # Even the right one isn't found out so; but who was in before stays in, and other addresses are others.
    assert await try_out(access, "good-too") == 429
    assert await try_out(access, "good") == 200
    assert await try_out(access, "good-too", "192.0.2.2") == 200
    watch.now += 1.0
    assert await try_out(access, "bad") == 401
    assert await try_out(access, "bad") == 429
    watch.now += 60.0
    assert [await try_out(access, "bad") for _ in range(ATTEMPTS + 1)] == [401] * ATTEMPTS + [429]


async def test_of_any_twenty_first_request_within_a_second_none_is_let_through() -> None:
    watch = Watch()
    access = Access(admit, clock=watch)
    assert [await try_out(access, "good") for _ in range(21)] == [200] * 20 + [429]
    watch.now = 0.99
    assert await try_out(access, "good") == 429
    watch.now = 1.0
    assert [await try_out(access, "good") for _ in range(21)] == [200] * 20 + [429]


@on_sqlite
async def test_a_token_is_in_no_log_and_no_answer(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError(served.ours.token)

    monkeypatch.setattr(served.world.desk, "list_events", fail)
    answer = await served.ours.get("/events")
    assert (answer.status, answer.problem) == (500, "unforeseen")
    assert answer.body["reference"] in (said := "".join(capsys.readouterr()))
    assert "api.request_failed" in said
    secret = (served.ours.token or "").rpartition("_")[2]
    assert secret not in str(answer)


async def test_when_it_was_used_is_listed(served: Served) -> None:
    await served.ours.get("/events")
    ours, theirs = served.world.db.run(tokens.list_all)
    assert ours.last_used_at is not None
    assert theirs.last_used_at is None


@on_sqlite
async def test_what_is_not_there_is_a_problem_too(served: Served) -> None:
    for method, path, status, problem in (
        ("GET", "", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/invoices/", 404, "not-found"),
        ("GET", "/invoices/A-1/payment-link/", 404, "not-found"),
        ("DELETE", "/invoices", 405, "method-not-allowed"),
        ("HEAD", "/openapi.json", 405, None),
        ("GET", "/invoices/A-1/payment-link", 405, "method-not-allowed"),
    ):
        answer = await served.ours.ask(method, path)
        assert answer.status == status, path
        assert problem is None or answer.problem == problem
        assert status == 404 or answer.headers["Allow"]


async def test_nothing_of_one_organisation_is_seen_by_another(served: Served) -> None:
    await served.ours.put([invoice("A-1"), invoice("A-2")])
    assert (await served.ours.ask("POST", "/invoices/A-1/payment-link")).status == 201
    page = (await served.ours.get("/invoices")).body
    for path in ("/invoices", "/invoices?search=A", "/invoices?changed_since=2020-01-01T00:00:00Z"):
        assert (await served.theirs.get(path)).body["invoices"] == []
    assert (await served.theirs.get("/invoices/A-1")).status == 404
    assert (await served.theirs.ask("POST", "/invoices/A-1/payment-link")).status == 404
    assert (await served.theirs.get("/events")).body["events"] == []
    assert (await served.theirs.put([invoice("A-1", "7.00")]))[0]["outcome"] == "new"
    assert (await served.ours.get("/invoices")).body["invoices"] == page["invoices"]
    assert (await served.theirs.get("/invoices/A-1")).body["link"] is None
    assert len((await served.ours.get("/events")).body["events"]) == 1


@on_sqlite
async def test_what_is_asked_is_counted(served: Served) -> None:
    await served.ours.get("/nothing")
    await served.ours.get("/events")
    shown = served.metrics.render().decode()
    assert 'paylink_api_requests_total{status="404"} 1.0' in shown
    assert 'paylink_api_requests_total{status="200"} 1.0' in shown


@on_sqlite
async def test_before_the_bot_has_begun_it_is_unavailable(served: Served) -> None:
    app = web.Application()
    Api(lambda: None, served.metrics).add_to(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    early = Client(served.ours.session, f"http://127.0.0.1:{runner.addresses[0][1]}", served.ours.token)
    answer = await early.get("/events")
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert (await early.get("/openapi.json")).status == 200
    await clean_up(runner)


@on_sqlite
async def test_an_organisation_of_another_process_is_not_served(served: Served) -> None:
    make_organisation(served.world.db, team_id="T0ELSEWHERE")
    program = served.bearing(served.world.db.run(tokens.add, "T0ELSEWHERE", "x"))
    for method, path in EVERYTHING[:1] + EVERYTHING[2:]:
        assert (await program.ask(method, path)).problem == "forbidden"


@on_sqlite
async def test_a_body_that_does_not_come_is_given_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "READ_SECONDS", 0.2)
    url = URL(served.ours.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"PUT /api/invoices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.ours.token}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()
