"""The version before this one, as far as the schema goes: `python -m tests.acceptance.previous serve`.

It is this Paylink, which believes that the last version of the schema doesn't exist: it makes a database without it, and
knows no other. What came before that is upgraded beside writers in tests/domain/migrations.
"""

REVISION = "0022"
"""The last version of the schema that the version before knew."""

if __name__ == "__main__":
    from bot.__main__ import run
    from domain import migrations

    migrations.REVISIONS = migrations.REVISIONS[: migrations.REVISIONS.index(REVISION) + 1]
    run()
