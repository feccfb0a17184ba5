"""Seeded damage to real payloads: values of other kinds, missing and strange fields, hostile texts, broken bytes."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

Json = Any
Path = tuple[str | int, ...]

HOSTILE: list[Json] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**80, 1e308, -0.5, "", " ", "0", "-1", "null", "NaN", "\x00", "\ud800",
    "\u202e\u2066", "é" * 300, "x" * 5_000, "<!channel>", "=1+1", "'; DROP TABLE links; --", "../../etc/passwd", "{}", "[]",
    "1e400", "١٢٣", "१", "²", "T0PAYLINK1", "T0ELSEWHERE", "U0NOBODY", "V0NOVIEW", "page:1", "1:2:3:4:5:6",
    "https://evil.example/hook", "http://127.0.0.1:1/", [], [None], [[]], {}, {"": {}}, {"text": None}, {"values": []},
    [0] * 500, {"type": "view_submission"}, {"type": "block_actions"}, {"selected_options": [{"value": "1"}]},
]  # fmt: skip


def mutate(payload: Json, rng: random.Random) -> Json:
    """A copy of the payload with one to three things changed."""
    mutated = copy.deepcopy(payload)
    for _ in range(rng.choice((1, 1, 2, 3))):
        paths = [path for path in _paths(mutated) if path]
        if not paths:
            return rng.choice(HOSTILE)
        rng.choice(_CHANGES)(mutated, rng.choice(paths), rng)
    return mutated


def damage(body: bytes, rng: random.Random) -> bytes:
    """The body cut, doubled, or with some of its bytes changed."""
    kind = rng.randrange(4)
    if kind == 0:
        return body[: rng.randrange(len(body) + 1)]
    if kind == 1:
        return body + body[: rng.randrange(len(body) + 1)]
    changed = bytearray(body)
    for _ in range(rng.randint(1, 20) if body else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def dumps(payload: Json) -> str:
    """JSON as hostile as the payload: half surrogate pairs stay escaped."""
    return json.dumps(payload)


def _paths(value: Json, path: Path = ()) -> list[Path]:
    found = [path]
    if isinstance(value, dict):
        for key, one in value.items():
            found += _paths(one, (*path, key))
    elif isinstance(value, list):
        # Of long lists the beginning stands for the rest.
        for place, one in enumerate(value[:5]):
            found += _paths(one, (*path, place))
    return found


def _parent(root: Json, path: Path) -> Json:
    for step in path[:-1]:
        root = root[step]
    return root


def _replace(root: Json, path: Path, rng: random.Random) -> None:
    _parent(root, path)[path[-1]] = copy.deepcopy(rng.choice(HOSTILE))


def _remove(root: Json, path: Path, rng: random.Random) -> None:
    del _parent(root, path)[path[-1]]


def _rename(root: Json, path: Path, rng: random.Random) -> None:
    parent = _parent(root, path)
    if isinstance(parent, dict):
        parent[f"{path[-1]}x"] = parent.pop(path[-1])


def _move(root: Json, path: Path, rng: random.Random) -> None:
    """Something from elsewhere in the payload takes its place."""
    other = rng.choice(_paths(root))
    value = root
    for step in other:
        value = value[step]
    _parent(root, path)[path[-1]] = copy.deepcopy(value)


def _deepen(root: Json, path: Path, rng: random.Random) -> None:
    parent = _parent(root, path)
    for _ in range(rng.choice((1, 50))):
        parent[path[-1]] = [parent[path[-1]]] if rng.random() < 0.5 else {"x": parent[path[-1]]}


def _multiply(root: Json, path: Path, rng: random.Random) -> None:
    value = _parent(root, path)[path[-1]]
    if isinstance(value, str | list):
        _parent(root, path)[path[-1]] = value * rng.choice((2, 200))


_CHANGES: list[Callable[[Json, Path, random.Random], None]] = [
    _replace, _replace, _replace, _remove, _remove, _rename, _move, _deepen, _multiply,
]  # fmt: skip
