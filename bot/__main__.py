"""The way in: ``paylink`` on the command line."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence

FAILED = 1


def run() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:], os.environ))


def main(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run one command with the settings in ``env``; return its exit status.

    What goes wrong is one sentence on standard error, never a traceback.
    """
    from bot.run.lean import lean_imports

    with lean_imports():
        from bot.cli.app import command
        from bot.stop import Stop

    try:
        command()(args=list(argv), prog_name="paylink", obj=dict(env))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except Stop as stop:
        print(stop.sentence, file=sys.stderr)  # noqa: T201 - what people at the terminal read
        return stop.status
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _unexpected(error)
    return 0


def _unexpected(error: Exception) -> int:
    import structlog

    from bot.watch.logs import configure_logs

    reference = secrets.token_hex(4)
    configure_logs()
    structlog.get_logger("bot").error("command.failed", reference=reference, exc_info=error)
    print(f"Paylink failed unexpectedly; the log line above has the reference {reference}.", file=sys.stderr)  # noqa: T201
    return FAILED


if __name__ == "__main__":
    run()
