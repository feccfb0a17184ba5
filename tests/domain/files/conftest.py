"""What the tests of files share."""

import pytest

from domain.database import Database
from domain.organisations import organisations
from domain.summaries import OrganisationSummary
from tests.domain.factories import TEAM, make_organisation


@pytest.fixture
def organisation(db: Database) -> OrganisationSummary:
    make_organisation(db)
    return db.run(organisations.get_by_team, TEAM)
