"""The version before this one, as far as the schema goes: `python -m tests.acceptance.previous serve`.

It is this Paylink, which believes that the last version of the schema doesn't exist: it makes a database without it, and
knows no other. What it reads and writes is what the version before did, as long as the last version of the schema took
nothing away.
"""

from bot.__main__ import run
from domain import migrations

if __name__ == "__main__":
    migrations.REVISIONS = migrations.REVISIONS[:-1]
    run()
