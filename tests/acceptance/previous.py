"""The version before this one, as far as the schema goes: `python -m tests.acceptance.previous serve`.

It is this Paylink, which believes that the last version of the schema doesn't exist: it makes a database without it, and
knows no other, and it searches as the version before did. What else it reads and writes is what that did, as long as the
last version of the schema took nothing away.
"""

from bot.__main__ import run
from domain import migrations
from tests.domain.migrations.version_before import be_the_version_before

if __name__ == "__main__":
    migrations.REVISIONS = migrations.REVISIONS[:-1]
    be_the_version_before()
    run()
