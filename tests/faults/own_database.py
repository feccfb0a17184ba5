"""The campaign's own way into the database that Paylink's processes die on."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import DatabaseUnavailable

APPLICATION = "campaign"
PATIENCE = 60.0


class OwnDatabase(Database):
    """Waits longer than Paylink does: a suspended process may keep SQLite locked for as long as it is suspended."""

    def __init__(self, url: str) -> None:
        super().__init__(_marked(url))

    async def _submit(
        self,
        lane: Literal["people", "background"],
        write: bool,
        fn: Callable[..., Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await super()._submit(lane, write, fn, *args, **kwargs)
            except DatabaseUnavailable:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def cut_connections_of_others(self) -> int:
        """End everybody else's connections, in the middle of whatever they do; PostgreSQL alone can. How many."""
        return 0 if self.is_sqlite else await self.write(_terminate_others)


def _terminate_others(session: Session) -> int:
    cut = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name <> :own"
    )
    return len(session.execute(cut, {"own": APPLICATION}).all())


def _marked(url: str) -> str:
    if not url.startswith("postgresql"):
        return url
    own = sa.make_url(url).update_query_dict({"application_name": APPLICATION})
    return own.render_as_string(hide_password=False)
