"""Installations for the tests: one shared by those that only add to it, fresh ones for those that break things."""

from __future__ import annotations

import pytest

from support.api import Api
from support.installation import Installation


@pytest.fixture
def installation(tmp_path):
    """A new installation with a running server."""
    fresh = Installation(tmp_path).start()
    yield fresh
    if fresh.process is not None:
        fresh.kill()


@pytest.fixture
def api(installation):
    return Api(installation)
