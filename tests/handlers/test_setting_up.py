"""Setting Paylink up in Slack, as an administrator does it, and as others see it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.connecting.checking import KeyCheck, Permission
from domain.connecting.summaries import AskFirst, Connected, Otherness, Webhook
from domain.errors import KeyLacks, KeyUnusable, SigningSecretUnusable
from domain.organisations.settings import Settings
from domain.organisations.stripe_keys import StripeKeySummary
from domain.overview.summaries import Steps
from domain.states import Creators, KeyTrouble, Right
from domain.summaries import Actor
from handlers.features.setting_up import connecting
from handlers.features.setting_up.greeting import greet_installer
from handlers.references import SettingsReference
from handlers.views import connecting as connecting_views
from handlers.views.settings import Choices, Group, form
from handlers.words.settings import Told
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.conftest import ANNA, Bench
from tests.handlers.samples import NOW, TEAM
from tests.handlers.shapes import buttons, flat

KEY = "rk_test_0123456789abcdef"
SUMMARY = StripeKeySummary("rk_test", "cdef", False, "acct_1", None, ANNA, NOW)
CHECK = KeyCheck(False, (), "acct_1", "Acme", takes_cards=True, link_on=False)
CONNECTED = Connected(SUMMARY, CHECK, Webhook.MADE)


async def home(bench: Bench) -> dict[str, Any]:
    await bench.workspace.open_home(bench.anna)
    await bench.idle()
    shown = bench.workspace.home(bench.anna)
    assert shown is not None
    return shown.payload | {"id": shown.id}


async def enter(bench: Bench, block: str, value: Any) -> None:
    """Into an input, whose block and element have one id."""
    await bench.workspace.click(bench.anna, bench.top.id, block, block, value)


async def type_in(bench: Bench, block: str, text: str) -> None:
    await bench.workspace.type(bench.anna, bench.top.id, block, block, text)


async def test_home_shows_the_steps_until_they_are_done(bench: Bench) -> None:
    bench.desk.steps = Steps(stripe=True, channel=False, invoices=False, tried=False)
    shown = await home(bench)
    lines = flat(shown).splitlines()
    assert lines.index("Set Up Paylink") < lines.index("Needs somebody")
    assert [line for line in lines if line[:1] in ("✅", "⬜")][:4] == [
        "✅ 1 Connect Stripe",
        "⬜ 2 Choose a channel",
        "⬜ 3 Import invoices",
        "⬜ 4 Try /invoice",
    ]
    assert {"Connect Stripe", "Choose a channel", "Import invoices", "Try /invoice", "Settings"} <= set(
        buttons(shown)
    )
    await bench.command("/invoice")
    assert bench.desk.steps.tried
    bench.desk.steps = replace(bench.desk.steps, channel=True, invoices=True)
    shown = await home(bench)
    assert "Set Up Paylink" not in flat(shown)
    assert "Settings" in buttons(shown)


async def test_others_read_whom_to_ask(bench: Bench) -> None:
    bench.desk.steps = Steps(stripe=False, channel=False, invoices=False, tried=False)
    bench.desk.rights -= {Right.SETTINGS}
    shown = await home(bench)
    assert "⬜ 1 Connect Stripe" in flat(shown)
    assert not {"Connect Stripe", "Choose a channel", "Try /invoice", "Settings"} & set(buttons(shown))
    assert "Administrators of your workspace can do this." in flat(shown)


async def test_a_key_is_connected_and_stands_nowhere_afterwards(bench: Bench) -> None:
    bench.desk.steps = Steps(stripe=False, channel=False, invoices=False, tried=False)
    bench.desk.connected = CONNECTED
    await bench.press("Connect Stripe", (await home(bench))["id"])
    assert "Connect Stripe" in bench.shown.splitlines()
    assert "Payment Links: Write" in bench.shown
    await type_in(bench, "restricted_key", f" {KEY} ")
    await type_in(bench, "signing_secret", "whsec_1")
    await bench.submit()
    assert bench.desk.given == [(KEY, "whsec_1", "")]
    assert "✅ Stripe is connected." in bench.shown
    assert "rk_test_…cdef" in bench.shown
    assert KEY not in str([call.args for call in bench.workspace.calls]) + str(bench.log.kept)
    assert bench.refused_calls() == []


@pytest.mark.parametrize(
    ("error", "block", "words"),
    [
        (KeyUnusable(KeyTrouble.REFUSED), "restricted_key", "doesn't know this key"),
        (KeyLacks((Permission.DISPUTES,)), "restricted_key", "Disputes: Read"),
        (SigningSecretUnusable(), "signing_secret", "whsec_"),
    ],
    ids=["refused", "lacks", "secret"],
)
async def test_what_is_wrong_with_a_key_stands_beside_its_input(
    bench: Bench, error: Exception, block: str, words: str
) -> None:
    bench.desk.connected = error
    await bench.press("Settings", (await home(bench))["id"])
    await bench.press("Connect Stripe")
    await type_in(bench, "restricted_key", KEY)
    outcome = await bench.submit()
    assert words in outcome.errors[block]


async def test_stripe_that_takes_its_time_is_waited_for_in_a_view(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "PATIENCE", 0.01)
    bench.desk.checked.clear()
    bench.desk.steps = Steps(stripe=False, channel=True, invoices=True, tried=True)
    await bench.press("Connect Stripe", (await home(bench))["id"])
    await type_in(bench, "restricted_key", KEY)
    await bench.workspace.submit(bench.anna, bench.top.id)
    assert "Asking Stripe" in bench.shown
    bench.desk.connected = KeyUnusable(KeyTrouble.STRIPE_AWAY)
    bench.desk.checked.set()
    await bench.idle()
    assert "Stripe can't be reached" in bench.shown
    assert "Restricted key" in bench.shown
    bench.desk.connected = CONNECTED
    await type_in(bench, "restricted_key", KEY)
    await bench.workspace.submit(bench.anna, bench.top.id)
    await asyncio.sleep(0)
    await bench.idle()
    assert "✅ Stripe is connected." in bench.shown


async def test_another_account_is_confirmed_with_the_key_still_in_its_place(bench: Bench) -> None:
    seal = "live|acct_2"
    other = replace(CHECK, livemode=True, account="acct_2", name=None)
    bench.desk.connected = AskFirst(Otherness.MODE, 12, False, "acct_1", other, seal)
    await bench.press("Settings", (await home(bench))["id"])
    await bench.press("Connect Stripe")
    await type_in(bench, "restricted_key", KEY)
    await bench.submit()
    assert "12 payment links" in bench.shown
    assert "second link" in bench.shown
    assert KEY not in str(bench.top.payload)
    bench.desk.connected = CONNECTED
    await bench.submit()
    assert bench.desk.given == [(KEY, "", ""), (KEY, "", seal)]


async def test_settings_are_saved_with_the_inputs_that_the_choices_need(bench: Bench) -> None:
    ben = bench.workspace.add_person("ben")
    private = bench.workspace.add_channel("secrets", private=True, bot=False)
    public = bench.workspace.add_channel("billing", bot=False)
    await bench.press("Settings", (await home(bench))["id"])
    labels = ["Notification channel", "Who may create links", "Administrators", "Who hears of exceptions"]
    assert set(labels) <= set(bench.shown.splitlines())
    await enter(bench, "setting_administrators", [ben])
    await bench.click("setting_creators", "setting_creators", "chosen")
    await enter(bench, "setting_chosen_people", [bench.anna, ben])
    await bench.click("setting_told", "setting_told", "people")
    await enter(bench, "setting_told_people", [ben])
    await enter(bench, "setting_language", "de")
    await enter(bench, "setting_channel", private)
    outcome = await bench.submit()
    assert "/invite" in outcome.errors["setting_channel"]
    await enter(bench, "setting_channel", public)
    await bench.submit()
    saved = bench.desk.settings
    assert (saved.creators, saved.chosen_people, saved.administrators, saved.told_of_exceptions) == (
        Creators.CHOSEN,
        (bench.anna, ben),
        (ben,),
        (ben,),
    )
    assert (saved.language, bench.desk.organisation.channel) == ("de", public)
    (joined,) = [one for one in bench.workspace.channels if one.id == public]
    assert bench.workspace.bot_user_id in joined.members


async def test_what_another_administrator_has_set_meanwhile_stays(bench: Bench) -> None:
    ben = bench.workspace.add_person("ben")
    bench.desk.organisation = replace(bench.desk.organisation, channel=bench.channel)
    await bench.press("Settings", (await home(bench))["id"])
    elsewhere = bench.workspace.add_channel("elsewhere")
    bench.desk.organisation = replace(bench.desk.organisation, channel=elsewhere)
    bench.desk.settings = Settings(administrators=(ben,))
    await bench.click("setting_creators", "setting_creators", "chosen")
    await enter(bench, "setting_chosen_people", [bench.anna])
    await bench.submit()
    assert bench.desk.organisation.channel == elsewhere
    assert bench.desk.settings == Settings(
        Creators.CHOSEN, administrators=(ben,), chosen_people=(bench.anna,)
    )
    # Whoever chooses that people hear of it, and none, isn't passed over.
    assert not SettingsReference.of({"told_of_exceptions": ()}).is_as_seen("told_of_exceptions", ("",))


async def test_who_may_create_links_is_saved_as_the_form_says_it(bench: Bench) -> None:
    ben = bench.workspace.add_person("ben")
    group = bench.workspace.add_group("billing", [bench.anna])
    # Another administrator allows everyone meanwhile.
    chosen = Settings(Creators.CHOSEN, chosen_people=(ben,), user_group=group)
    bench.desk.settings = chosen
    await bench.press("Settings", (await home(bench))["id"])
    bench.desk.settings = replace(chosen, creators=Creators.EVERYONE)
    await enter(bench, "setting_chosen_people", [ben, bench.anna])
    await bench.submit()
    assert bench.desk.settings == replace(chosen, chosen_people=(ben, bench.anna))
    # Another one is chosen there meanwhile, and those of before are put back.
    bench.desk.settings = Settings(chosen_people=(ben,))
    await bench.press("Settings", (await home(bench))["id"])
    bench.desk.settings = Settings(chosen_people=(bench.anna,))
    await bench.click("setting_creators", "setting_creators", "chosen")
    await enter(bench, "setting_chosen_people", [ben])
    await bench.submit()
    assert bench.desk.settings == Settings(Creators.CHOSEN, chosen_people=(ben,))
    # Another group meanwhile.
    bench.desk.settings = Settings(user_group=group)
    await bench.press("Settings", (await home(bench))["id"])
    await bench.click("setting_creators", "setting_creators", "group")
    bench.desk.settings = Settings(user_group="S0OTHER")
    await bench.submit()
    assert bench.desk.settings == Settings(Creators.GROUP, user_group=group)


async def test_channels_that_another_administrator_has_replaced_and_archived_refuse_nothing(
    bench: Bench,
) -> None:
    exceptions, elsewhere = (bench.workspace.add_channel(name) for name in ("exceptions", "elsewhere"))
    bench.desk.organisation = replace(bench.desk.organisation, channel=bench.channel)
    bench.desk.settings = Settings(told_of_exceptions=(exceptions,))
    await bench.press("Settings", (await home(bench))["id"])
    bench.desk.organisation = replace(bench.desk.organisation, channel=elsewhere)
    bench.desk.settings = Settings()
    for channel in (bench.channel, exceptions):
        await bench.workspace.archive(channel)
    await enter(bench, "setting_language", "de")
    outcome = await bench.submit()
    assert not outcome.errors
    assert (bench.desk.organisation.channel, bench.desk.settings) == (elsewhere, Settings(language="de"))
    joined = [call.args["channel"] for call in bench.workspace.calls if call.method == "conversations.join"]
    assert joined == []


async def test_the_installer_is_told_once_and_led_to_the_steps(bench: Bench) -> None:
    bench.desk.steps = Steps(stripe=False, channel=False, invoices=False, tried=False)
    for _ in range(2):
        await greet_installer(
            bench.desk,  # type: ignore[arg-type]
            bench.log,
            bench.app.client,
            Actor(TEAM, ANNA),
        )
    dm = bench.workspace.dm_channel(ANNA)
    assert dm is not None
    (message,) = bench.workspace.dms(ANNA)
    assert "Paylink is installed" in message.text
    await bench.press("Set Up Paylink", (dm, message.ts))
    await bench.press("Choose a channel")
    assert "Notification channel" in bench.shown
    assert bench.refused_calls() == []


@pytest.mark.parametrize("creators", Creators)
@pytest.mark.parametrize("told", Told)
def test_slack_takes_every_shape_of_the_settings(creators: Creators, told: Told) -> None:
    people = tuple(f"U{number:05d}" for number in range(100))
    groups = [Group(f"S{number:05d}", "x" * 200) for number in range(120)]
    channel = "C0EXCEPTIONS"
    for kept in ((), (channel,), people):
        shown = Settings(creators, people, "S0GONE", people, kept, "ja")
        for known in (None, [], groups):
            check_view(form(shown, channel, Choices(creators, told), groups=known, key=SUMMARY, said="x"))


def test_slack_takes_whatever_stripe_says_of_a_key() -> None:
    everything = KeyCheck(
        True, tuple(Permission), None, "\u202e" * 100, takes_cards=False, clock_ahead=timedelta(hours=1)
    )
    for webhook in Webhook:
        check_view(
            connecting_views.connected(Connected(replace(SUMMARY, kind="sk_live"), everything, webhook))
        )
    asked = AskFirst(Otherness.ACCOUNT, 100_000, True, None, everything, "live|acct_1")
    check_view(connecting_views.form(under="settings", asked=asked, said="x" * 3000))
