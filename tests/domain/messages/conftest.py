"""What the tests of messages share."""

import pytest

from tests.domain.factories import make_organisation
from tests.domain.world import World


@pytest.fixture
def organisation(world: World) -> int:
    return make_organisation(world.db)
