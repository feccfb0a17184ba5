"""What no handler takes, and why: facts, whose words stand in handlers/words."""


class Unreadable(ValueError):
    """A value that no view of ours carries."""


class NoFilesHere(Exception):
    """Paylink runs without what makes files."""


class Outsider(Exception):
    """Somebody of another workspace, whom Slack Connect lets act here."""


class ScopeMissing(Exception):
    """The bot's token lacks a scope; ``args[0]`` is its name."""


class FileNotFetched(Exception):
    """Slack didn't give a file that somebody put into a form. ``code``: file_deleted, too_large, or what else it says."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NoFileChosen(Exception):
    """A form for a file was submitted without one."""
