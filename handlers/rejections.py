"""What no handler takes, and why: facts, whose words stand in handlers/words."""


class Unreadable(ValueError):
    """A value that no view of ours carries."""


class NoFilesHere(Exception):
    """Paylink runs without what makes files."""


class Outsider(Exception):
    """Somebody of another workspace, whom Slack Connect lets act here."""
