"""What answers about invoices say."""

from typing import Any

from tests.bot.api.conftest import Client


def outcomes(answer: list[dict[str, Any]]) -> list[str]:
    return [one["outcome"] for one in answer]


async def numbers(client: Client, query: str = "") -> list[str]:
    found: list[str] = []
    path: str | None = f"/invoices?{query}"
    while path is not None:
        answer = await client.get(path)
        assert answer.status == 200, answer
        found += [one["number"] for one in answer.body["invoices"]]
        cursor = answer.body["next"]
        path = None if cursor is None else f"/invoices?{query}&cursor={cursor}"
    return found
