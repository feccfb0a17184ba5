"""The version before this one, as far as the schema goes: `python -m tests.acceptance.previous serve`.

It is this Paylink, which believes that the last versions of the schema don't exist: it makes a database without them,
and knows no other, and it reads, writes and searches as the version before did.
"""

from tests.domain.migrations.version_before import be_the_version_before, with_earlier_models

REVISION = "0003"
"""The last version of the schema that the version before knew."""

if __name__ == "__main__":
    with_earlier_models()
    from bot.__main__ import run
    from domain import migrations

    migrations.REVISIONS = migrations.REVISIONS[: migrations.REVISIONS.index(REVISION) + 1]
    be_the_version_before()
    run()
