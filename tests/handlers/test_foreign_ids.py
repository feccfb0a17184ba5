"""Another organisation's ids, and another person's lists, in every place of everything that Slack can deliver.

On SQLite: that the desk refuses them on either database, tests/domain/test_refusals.py holds.
"""

import copy
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from domain.database import Database
from domain.errors import ExceptionNotFound, ImportNotFound, InvoiceNotFound, RunNotFound, SelectionNotFound
from handlers import ids
from handlers.rejections import Outsider
from handlers.words.sentences import sentence
from sandbox.stripe.server import LocalStripe
from tests.databases import on_sqlite
from tests.domain import world as worlds
from tests.domain.conftest import stripe
from tests.domain.world import ADA
from tests.handlers.foreign import FOREIGN, OF_BEN, SECRETS, Bench, furnished
from tests.handlers.surfaces import deliveries, outside, surfaces

__all__ = ["stripe"]

Path = tuple[str | int, ...]
OWN = 1
# What is worked on is the selection that the view's metadata names; elsewhere it is what the element carries.
OF_SELECTION = {
    ids.LIST_TICKS,
    ids.LIST_SEARCH,
    ids.LIST_FILTER,
    ids.LIST_SELECT_PAGE,
    ids.LIST_CLEAR,
    ids.LIST_NEXT,
    ids.LIST_PREVIOUS,
    ids.LIST_DOWNLOAD,
    ids.LIST_AS_EXCEL,
    ids.LIST_AS_CSV,
    ids.LIST_VIEW,
    ids.CONFIRMATION_VIEW,
}
TAKE_TICKS = OF_SELECTION - {
    ids.LIST_DOWNLOAD,
    ids.LIST_AS_EXCEL,
    ids.LIST_AS_CSV,
    ids.CONFIRMATION_VIEW,
}
REFUSALS = [
    str(sentence(error))
    for error in (
        InvoiceNotFound(""),
        ExceptionNotFound(),
        RunNotFound(),
        SelectionNotFound(),
        ImportNotFound(),
    )
]
_CARRIED = re.compile(r"\d+(\|.*)?", re.DOTALL)


pytestmark = on_sqlite


@pytest.fixture
async def bench(db: Database, stripe: LocalStripe) -> AsyncIterator[Bench]:
    async with worlds.world(db, stripe) as world, furnished(world) as made:
        yield made


def places(payload: Any, path: Path = ()) -> Iterator[Path]:
    """Where an id of ours stands, by the keys that lead there."""
    named = payload.items() if isinstance(payload, dict) else enumerate(payload)
    for key, value in named:
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))
        elif (
            key in ("value", "private_metadata")
            and isinstance(value, str)
            and value != ""
            and _CARRIED.fullmatch(value)
        ):
            yield (*path, key)


def forged(payload: Any, path: Path, id_: int) -> Any:
    """The payload with another id in that place."""
    made = holder = copy.deepcopy(payload)
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = re.sub(r"^\d+", str(id_), holder[path[-1]])
    return made


def is_read(name: str, path: Path, payload: Any) -> bool:
    """Whether what answers to ``name`` takes the id from there, so that it must be refused."""
    if path == ("view", "private_metadata"):
        # Details that stand on a list carry the list's reference.
        on_list = name == ids.CREATE_LINK and "|" in payload["view"]["private_metadata"]
        own = (ids.RESOLVE_VIEW, ids.IMPORT_PREVIEW_VIEW, ids.IMPORT_COLUMNS_VIEW)
        return on_list or name in OF_SELECTION or name in own
    if path[0] == "actions":
        # A page has a number, no id.
        return not name.startswith(ids.EXCEPTIONS_PAGE)
    if path[:3] == ("view", "state", "values"):
        ticks = str(path[3]).startswith(ids.TICKS_BLOCK) and name in TAKE_TICKS - {ids.LIST_TICKS}
        return ticks or name == ids.SEARCH_VIEW
    # The checkboxes that were displayed, as the delivered view says.
    return name in TAKE_TICKS and "options" in path and "elements" in path


async def test_every_listener_refuses_them_with_a_sentence_and_an_entry_in_the_audit(bench: Bench) -> None:
    tried = 0
    for surface in (await surfaces(bench.world)).values():
        for name, payload in deliveries(surface, OWN):
            read = [path for path in places(payload) if is_read(name, path, payload)]
            for path in read:
                tried += 1
                foreign = [FOREIGN]
                if path == ("view", "private_metadata") and name != ids.RESOLVE_VIEW:
                    foreign += [FOREIGN + 10, OF_BEN]
                for id_ in foreign:
                    await refuse(bench, forged(payload, path, id_), (name, path, id_))
    assert tried > 40


async def refuse(bench: Bench, payload: Any, what: object) -> None:
    before = bench.state()
    bench.refusals()
    heard = await bench.deliver(payload)
    attacked = bench.attacks()
    refused = bench.refusals()
    assert bench.state() == before, what
    assert len(refused) == 1, (what, refused)
    assert refused[0][0] == ADA.user_id
    # Whose it is reads of it, too.
    (who, subject) = refused[0]
    whose = [] if subject.endswith(f" {OF_BEN}") else [(who, f"{subject} asked for from {ADA.team_id}")]
    assert attacked == whose, what
    assert any(words in heard for words in REFUSALS), (what, heard)
    assert not any(secret in heard for secret in SECRETS), what


async def test_in_a_place_that_is_not_read_they_reach_nothing(bench: Bench) -> None:
    for surface in (await surfaces(bench.world)).values():
        for name, payload in deliveries(surface, OWN):
            for path in places(payload):
                payload = payload if is_read(name, path, payload) else forged(payload, path, FOREIGN)
            before = of_others(bench)
            heard = await bench.deliver(payload)
            assert of_others(bench) == before, name
            assert not any(secret in heard for secret in SECRETS), name


OUTSIDER = str(sentence(Outsider()))
# They need no answer: nothing is read.
ACKNOWLEDGED = {ids.OPEN_LINK, ids.COPY_VIEW}


def from_elsewhere(payload: Any) -> Iterator[Any]:
    """The same, done by somebody of another workspace, as Slack Connect delivers it."""
    made = copy.deepcopy(payload)
    made["user"]["team_id"] = "T9EXT"
    if made["type"] == "view_submission":
        made["view"]["app_installed_team_id"] = made["team"]["id"]
        yield made | {"user": {"id": ADA.user_id}, "team": {"id": "T9EXT"}}
        made["team"]["id"] = "T9EXT"
    else:
        yield made | {"enterprise": {"id": "E9EXT"}, "user": {"id": ADA.user_id, "team_id": "E8EXT"}}
    yield made


async def test_people_of_another_workspace_are_refused_before_anything_is_read(bench: Bench) -> None:
    tried = 0
    for surface in (await surfaces(bench.world)).values():
        for name, payload in deliveries(surface, OWN):
            for foreign in from_elsewhere(payload) if name not in ACKNOWLEDGED else ():
                tried += 1
                before = bench.state()
                heard = await bench.deliver(foreign)
                [(who, subject)] = bench.refusals()
                assert (who, subject) in [(ADA.user_id, f"workspace {team}") for team in ("T9EXT", "E8EXT")]
                assert bench.state() == before, name
                offered = foreign["type"] == "block_suggestion"
                assert ('"options": []' if offered else OUTSIDER) in heard, (name, heard)
    assert tried > 40


def in_an_enterprise(payload: Any) -> Iterator[Any]:
    """The same, done by somebody of this workspace that is one of an enterprise, as Slack tells it there."""
    by = {"id": ADA.user_id, "team_id": "E0OWN"}
    yield payload | {"user": by, "enterprise": {"id": "E0OWN"}}
    yield payload | {"user": by, "team": {"id": ADA.team_id, "enterprise_id": "E0OWN"}}
    sister = payload | {"user": by | {"team_id": "T0SISTER"}, "enterprise": {"id": "E0OWN"}}
    if "view" in payload or payload["type"] == "shortcut":
        yield sister
    else:
        # What stands in a channel may be seen from outside; what Paylink says to somebody directly isn't.
        yield sister | {"channel": {"id": "D0DIRECT", "name": "directmessage"}}


async def test_people_of_the_own_workspace_may_be_told_by_their_enterprise(bench: Bench) -> None:
    for surface in (await surfaces(bench.world)).values():
        for name, payload in [*deliveries(surface, OWN), *outside()]:
            for told in in_an_enterprise(payload) if "user" in payload else ():
                heard = await bench.deliver(told)
                assert OUTSIDER not in heard, name
                assert not [what for _, what in bench.refusals() if what.startswith("workspace")], name


def of_others(bench: Bench) -> list[str]:
    """Every row that names something foreign. What an own modal carries, it only brings back."""
    state = bench.state()
    views = [row for row in state.pop("open_views") if f", {FOREIGN}," in row]
    return views + [row for rows in state.values() for row in rows if str(FOREIGN) in row]


async def test_each_listener_of_the_app_is_among_them_and_shows_only_its_own(bench: Bench) -> None:
    for surface in (await surfaces(bench.world)).values():
        for name, payload in deliveries(surface, OWN):
            heard = await bench.deliver(payload)
            assert not any(secret in heard for secret in SECRETS), name
            assert not bench.log.named("delivery.unknown"), name
    for name, payload in outside():
        heard = await bench.deliver(payload)
        # A number that was typed is repeated.
        shown = heard.replace("HIDDEN-77", "", 1) if payload.get("text") == "HIDDEN-77" else heard
        assert not any(secret in shown for secret in SECRETS), name
        assert not bench.log.named("delivery.unknown"), name
    assert bench.unmatched() == 0
