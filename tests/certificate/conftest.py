from __future__ import annotations

import pytest
from certificate_changes import NETWORKS, certified
from two_checkers import Checkers

from polyrelu.certificate.format import Certificate


@pytest.fixture(scope="session")
def good() -> dict[str, Certificate]:
    return {name: certified(network) for name, network in NETWORKS.items()}


@pytest.fixture(scope="session")
def checkers(tmp_path_factory) -> dict[str, Checkers]:
    return {name: Checkers(network, tmp_path_factory.mktemp(name)) for name, network in NETWORKS.items()}
