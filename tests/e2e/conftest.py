"""The daemon as a process, between a simulated upstream and a verifying receiver."""

import anyio
import pytest

from tests.e2e.stage import Outcomes, played


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Outcomes:
    """Play at once every scene of the file that was asked for."""
    module = request.module
    items = [item for item in request.session.items if item.path == request.path]
    names = [item.name for item in items if hasattr(getattr(module, item.name, 0), "play")]
    folder = tmp_path_factory.mktemp("stages")
    return anyio.run(played, module, names, folder)
