"""Whose claims may be taken back at a start."""

import os
import socket
import subprocess
import sys

from bot.work.owners import find_dead, make_owner

HOST = socket.gethostname()[:32]


def test_a_killed_process_of_this_host_is_dead() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert find_dead({f"{HOST}-{gone.pid}-aa"}, "own") == {f"{HOST}-{gone.pid}-aa"}


def test_an_earlier_process_with_this_ones_number_is_dead() -> None:
    own = make_owner()
    earlier = f"{HOST}-{os.getpid()}-00000000"
    assert find_dead({own, earlier}, own) == {earlier}


def test_who_lives_or_ran_elsewhere_is_left_alone() -> None:
    living = f"{HOST}-{os.getppid()}-aa"
    elsewhere = "another-host-999999-aa"
    assert find_dead({living, elsewhere, "no name of ours", ""}, "own") == set()
