"""Whether memory grows over many commands and links: a process of its own, which says what it held as it went.

`python -m benchmarks.leak URL STRIPE_URL STRIPE_KEY SLACK_URL COMMANDS LINKS INVOICES` prints JSON.
"""

import asyncio
import gc
import json
import random
import sys
from dataclasses import dataclass

from benchmarks import commands, links
from benchmarks.data import number
from benchmarks.measuring import resident
from benchmarks.services import ANNA, ROOT, Paylink, SlackServer, StripeServer, paylink
from bot.slack_client import make_session
from bot.watch.metrics import Metrics

AT_ONCE = 8
PARTS = 10


@dataclass(frozen=True)
class Held:
    """Bytes held after each tenth of the commands, then after each tenth of the links."""

    commands: tuple[int, ...]
    links: tuple[int, ...]

    @property
    def growth(self) -> int:
        """From the third tenth on, when caches are full, to the end: the larger of the two."""
        return max(self.commands[-1] - self.commands[2], self.links[-1] - self.links[2])


async def measure(
    url: str, server: StripeServer, slack: SlackServer, *, asked: int, made: int, invoices: int
) -> Held:
    await server.answer_after(0)
    # What is looked for here is memory; at Stripe's pace ten thousand links would take seven minutes.
    await server.tell("limits", test=None, endpoint=None)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.leak",
        url,
        server.api_url,
        server.api_key,
        slack.url,
        *map(str, (asked, made, invoices)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    await server.tell("limits", test=25, endpoint=25)
    found = json.loads(out.splitlines()[-1])
    return Held(tuple(found["commands"]), tuple(found["links"]))


async def _run(
    url: str, server: StripeServer, slack: SlackServer, asked: int, made: int, invoices: int
) -> None:
    async with paylink(url, server, rate=1000) as bot, make_session(Metrics()) as session:
        hands = commands.Hands()
        dispatch = commands.paylink_app(bot, slack, session, hands)
        held_by_commands = []
        for _ in range(PARTS):
            await _ask(dispatch, asked // PARTS, invoices)
            await hands.finish()
            await slack.calls()
            gc.collect()
            held_by_commands.append(resident())
        held_by_links = []
        for _ in range(PARTS):
            for _ in range(max(made // PARTS // links.COUNT, 1)):
                await _make(bot)
            gc.collect()
            held_by_links.append(resident())
    sys.stdout.write(json.dumps({"commands": held_by_commands, "links": held_by_links}) + "\n")


async def _ask(dispatch: commands.Dispatch, count: int, invoices: int) -> None:
    chance = random.Random(count)

    async def person() -> None:
        for _ in range(count // AT_ONCE):
            if chance.random() < 0.95:
                await dispatch(commands.command("/invoice", number(chance.randrange(invoices))))
            else:
                await dispatch(commands.command("/invoices", chance.choice(commands.SEARCHES)))

    await asyncio.gather(*(person() for _ in range(AT_ONCE)))


async def _make(bot: Paylink) -> None:
    run = await links.start(bot, await links.select(bot))
    while not (await bot.desk.get_result(ANNA, run.id)).final:
        await bot.creation.run_due()


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(
        _run(
            given[0],
            StripeServer(given[1], given[2]),
            SlackServer(given[3]),
            *(int(text) for text in given[4:]),
        )
    )
