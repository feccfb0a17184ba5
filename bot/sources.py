"""Where settings come from: the environment, files of credentials, a .env file; and what is written there in vain."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

OURS = "PAYLINK_"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Systemd sets it (LoadCredential=); in a container it is where the secrets are mounted."""
# Written in small letters too, and then those count, as everywhere else.
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


class SettingsProblem(Exception):
    """A setting that is missing or malformed; ``args[0]`` is one sentence without any value in it."""


def given(names: Collection[str], env: Mapping[str, str]) -> dict[str, str]:
    """What the environment says, and files in its CREDENTIALS_DIRECTORY that are named like a setting.

    The environment goes first. Raises SettingsProblem for a file that can't be read.
    """
    values = dict(_credentials(names, env))
    values |= {name: env[name] for name in names if env.get(name, "").strip()}
    values |= {name: env[name.lower()] for name in PROXIES if env.get(name.lower(), "").strip()}
    return values


def _credentials(names: Collection[str], env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    directory = env.get(CREDENTIALS, "").strip()
    for name in names if directory else ():
        file = Path(directory) / name
        try:
            value = file.read_text("utf-8").strip()
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            raise SettingsProblem(
                f"The file {file} can't be read: it must be a text file in UTF-8 that Paylink's user may read."
            ) from None
        if value:
            yield name, value


def find_unreadable(file: Path) -> int | None:
    """The first line of a .env file that would be passed over with a warning that doesn't name the file."""
    from dotenv.parser import parse_stream

    if not file.is_file():
        return None
    with file.open(encoding="utf-8") as stream:
        for binding in parse_stream(stream):
            if binding.error:
                original = binding.original.string
                blank = original[: len(original) - len(original.lstrip())]
                return binding.original.line + blank.count("\n")
    return None


def find_unknown(names: Collection[str], env: Mapping[str, str], file: Path) -> dict[str, str | None]:
    """Names that begin as Paylink's own do and are none, in the environment and in a .env file, with the nearest that is
    one. The file must be readable, if it is there."""
    from dotenv import dotenv_values

    # In the file capitals and small letters are one.
    written = [name for name in dotenv_values(file, interpolate=False) if name.upper() not in names]
    unknown = {name for name in [*env, *written] if name.upper().startswith(OURS) and name not in names}
    return {name: next(iter(get_close_matches(name.upper(), names, 1)), None) for name in sorted(unknown)}
