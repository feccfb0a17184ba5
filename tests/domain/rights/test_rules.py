"""Every person that there can be, and every deed."""

from itertools import product

from domain.rights.rules import Person, may
from domain.states import Creators, Right, Standing

EVERYBODY = [
    Person(*facts) for facts in product(Standing, (False, True), (False, True), Creators, (False, True))
]


def expected(person: Person, deed: Right) -> bool:
    """As people were told (docs/how-to/decide-who-may.md), deed by deed instead of role by role."""
    inside = person.standing in (Standing.MEMBER, Standing.ADMINISTRATOR)
    named = person.standing is Standing.GUEST and (person.administers or person.chosen)
    runs_it = person.standing is Standing.ADMINISTRATOR or (person.administers and (inside or named))
    if deed is Right.SETTINGS:
        return runs_it
    if deed in (Right.IMPORT, Right.RESOLVE):
        return inside or runs_it
    chosen_to = {Creators.EVERYONE: True, Creators.CHOSEN: person.chosen, Creators.GROUP: person.in_group}
    return (inside or named) and (deed is Right.LOOK or chosen_to[person.creators])


def test_everybody_may_exactly_what_people_were_told() -> None:
    assert len(EVERYBODY) == 5 * 2 * 2 * 3 * 2
    wrong = [
        (person, deed)
        for person in EVERYBODY
        for deed in Right
        if may(person, deed) != expected(person, deed)
    ]
    assert wrong == []


def test_nobody_from_elsewhere_may_anything_whoever_names_them() -> None:
    for standing in (Standing.STRANGER, Standing.DEACTIVATED):
        assert not any(
            may(person, deed) for person in EVERYBODY if person.standing is standing for deed in Right
        )


def test_a_right_more_is_never_a_right_less() -> None:
    """Being named, chosen or in the group takes nothing away."""
    for person in EVERYBODY:
        for name in ("administers", "chosen", "in_group"):
            more = Person(**{**vars(person), name: True})
            assert all(may(more, deed) for deed in Right if may(person, deed))
