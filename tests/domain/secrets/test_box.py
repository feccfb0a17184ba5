import pytest

from domain.secrets.box import Box, CannotOpen, NoSecretKeys, Purpose, new_key

FIRST, SECOND = new_key(), new_key()


def test_what_is_sealed_opens_for_its_organisation_and_purpose_alone() -> None:
    box = Box([FIRST])
    sealed = box.seal("rk_test_4242", "T1", Purpose.STRIPE_KEY)
    assert "rk_test_4242" not in sealed
    assert box.open(sealed, "T1", Purpose.STRIPE_KEY) == "rk_test_4242"
    for team_id, purpose in (("T2", Purpose.STRIPE_KEY), ("T1", Purpose.SIGNING_SECRETS)):
        with pytest.raises(CannotOpen):
            box.open(sealed, team_id, purpose)


def test_the_first_key_seals_and_all_open() -> None:
    old = Box([FIRST]).seal("s", "T1", Purpose.BOT_TOKEN)
    both = Box([SECOND, FIRST])
    assert both.open(old, "T1", Purpose.BOT_TOKEN) == "s"
    assert not both.is_sealed_with_first(old)
    assert Box([SECOND]).is_sealed_with_first(both.seal("s", "T1", Purpose.BOT_TOKEN))
    with pytest.raises(CannotOpen):
        Box([SECOND]).open(old, "T1", Purpose.BOT_TOKEN)


@pytest.mark.parametrize("text", ["", "gAAAA", "sealed\ud800"[:6]])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(CannotOpen):
        Box([FIRST]).open(text, "T1", Purpose.BOT_TOKEN)


def test_without_keys_nothing_is_sealed_or_opened() -> None:
    box = Box()
    assert not box.has_keys
    with pytest.raises(NoSecretKeys):
        box.seal("s", "T1", Purpose.BOT_TOKEN)
    with pytest.raises(NoSecretKeys):
        box.open("s", "T1", Purpose.BOT_TOKEN)
