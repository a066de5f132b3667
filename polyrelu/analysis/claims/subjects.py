"""What claims do with a network and a domain they are asked about: refuse them, or take them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyrelu.analysis.claims.model import Subject
from polyrelu.errors import InputError
from polyrelu.network.activation import RELU

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["check_dense_relu", "refuse", "tessellated_subject"]


def refuse(subject: Subject | None, claim: str, about: str) -> None:
    """Raise `InputError` if there is a subject: the claim is about something else.

    Examples
    --------
    >>> from polyrelu import Domain
    >>> from polyrelu.testing import xor
    >>> refuse(None, "004-table-1-conv", "convolutions")
    >>> refuse(Subject(xor(), Domain.all(2)), "004-table-1-conv", "convolutions")
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: Claim 004-table-1-conv needs no network but received one, because it is about \
convolutions. Leave the network out.
    """
    if subject is not None:
        raise InputError(
            f"Claim {claim} needs no network but received one, because it is about {about}. Leave the network out."
        )


def tessellated_subject(subject: Subject, claim: str, most: int = 20_000) -> Tessellation:
    """Return all regions of a subject; refuse one that has more than ``most``."""
    from polyrelu.tessellation.build import tessellate

    tessellation = tessellate(subject.network, subject.domain, max_regions=most)
    if not tessellation.n_regions:
        raise InputError(f"Claim {claim} needs a domain with a region but received an empty one. Enlarge the domain.")
    return tessellation


def check_dense_relu(subject: Subject, claim: str) -> None:
    """Raise `InputError` unless a network has ReLU layers only, without a slice before them."""
    network = subject.network
    functions = {f for layer in network.hidden for f in layer.activation.functions}
    if not network.is_relu or functions - {RELU} or network.input_map is not None:
        raise InputError(
            f"Claim {claim} needs a network whose hidden neurons all have a ReLU, and no slice, but received another. "
            "Give another network."
        )
