"""A process that brings up `paylink serve` processes, armed with a crash point: `python -m tests.faults.nursery`.

It imports Paylink once and forks each of them, so that a thousand starts don't import it a thousand times. It reads
one JSON object a line, {"env": {...}, "log": path, "point": ..., "times": ..., "suspend": ..., "ablation": ..., "skew":
seconds by which its clock is wrong, "stretch": of tests/faults/slowness.py}, and answers with one line, {"pid": ...}. A child is `paylink serve` with that environment and nothing else: what it is told
over Slack, Stripe and the database is all that it knows.
"""

import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.__main__ import main
from tests.faults import ablations, crash_points

SHORT = 1.0


def quicken(stretch: float) -> None:
    """Shorten the delays that only spare the services, and how far back is read, so that a campaign takes minutes.

    The lease and the margin aren't among them: they are settings. How far back is read is stretched as they are.
    """
    from bot.run import startup
    from bot.work import workers
    from domain.links import adoption, sending
    from domain.messages import announcing, transactions
    from domain.payments import account_watch, gaps
    from domain.stripe import pausing

    startup.LONGEST_DELAY = SHORT
    workers.LONGEST_DELAY = SHORT
    announcing.ONE_A_SECOND = timedelta(milliseconds=20)
    transactions.LEAST_APART = announcing.ONE_A_SECOND.total_seconds()
    announcing.LONGEST_DELAY = SHORT
    announcing.LOOK_AGAIN = 0.5
    sending.LONGEST_DELAY = SHORT
    sending.PAUSED_DELAY = SHORT
    adoption._ALLOWANCE = timedelta(seconds=15 * stretch)
    gaps.OVERLAP = timedelta(seconds=30 * stretch)
    gaps.AGAIN_AFTER = SHORT
    account_watch.SESSION_LIFE = timedelta(seconds=60 * stretch)
    account_watch.HOURLY = timedelta(seconds=10)
    account_watch.AT_START = timedelta(seconds=2)
    account_watch.AFTER_TROUBLE = timedelta(seconds=SHORT)
    account_watch.LONGEST_FOR_LINK = account_watch.LONGEST_WAIT = timedelta(seconds=SHORT)
    account_watch.LONGEST_PAUSE = SHORT
    pausing.CLEARED_EVERY = SHORT


def speak_for_all() -> None:
    """The campaign's one workspace stands for several: its token posts for all of them, as each one's own would."""
    from bot.run import startup
    from bot.slack_client import Identity
    from bot.wiring import Bot
    from domain.organisations import organisations
    from domain.stripe.account import Account

    set_up = startup._set_up

    async def set_up_all(bot: Bot, identity: Identity) -> Account:
        account = await set_up(bot, identity)
        for organisation in await bot.db.read(organisations.list_all):
            bot.posters[organisation.id] = bot.posters[account.organisation_id]
        return account

    startup._set_up = set_up_all


def set_clock_wrong(by: timedelta) -> None:
    from bot import wiring

    assert wiring.build.__kwdefaults__ is not None
    wiring.build.__kwdefaults__["clock"] = lambda: wiring.utc_now() + by


def bear(wish: dict[str, Any]) -> int:
    """Fork a `paylink serve`; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _redirect(Path(wish["log"]))
        quicken(wish.get("stretch", 1.0))
        speak_for_all()
        set_clock_wrong(timedelta(seconds=wish.get("skew", 0)))
        if wish.get("ablation"):
            ablations.ABLATIONS[wish["ablation"]]()
        if wish.get("point"):
            trap = crash_points.Trap(wish["point"], wish.get("times", 1), wish.get("suspend", False))
            crash_points.install(trap.pass_by, trap.pass_during)
        os.environ.clear()
        os.environ.update(wish["env"])
        status = main(["serve"], dict(wish["env"]))
    finally:
        os._exit(status)


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)


def run() -> None:
    """Serve wishes until standard input ends."""
    _import_all()
    # The kernel reaps the children: a zombie would look alive to whoever asks for its number.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        sys.stdout.write(json.dumps({"pid": bear(json.loads(line))}) + "\n")
        sys.stdout.flush()


def _import_all() -> None:
    import bot.cli.app
    import bot.run.service  # noqa: F401


if __name__ == "__main__":
    run()
