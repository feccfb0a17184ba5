"""What people wait for is given up within the time that Slack gives."""

from domain.database import BUSY_SECONDS
from handlers.bolt.acknowledging import ACK_SECONDS
from handlers.bolt.modals import SKELETON_AFTER
from sandbox.slack import Limits


def test_an_answer_and_what_it_waits_for_come_before_slack_gives_up() -> None:
    assert BUSY_SECONDS <= 2 < ACK_SECONDS < Limits().ack_seconds == 3


def test_a_skeleton_comes_while_its_trigger_lives() -> None:
    assert SKELETON_AFTER < 0.5 < Limits().trigger_seconds == 3
