"""Both checkers of certificates on one file, which must agree."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from polyrelu.certificate import plain_checker
from polyrelu.certificate.borders import LayerBorders
from polyrelu.certificate.checker import CheckedTessellation, check_certificate
from polyrelu.certificate.format import Certificate, read_certificate, to_bytes
from polyrelu.errors import CertificateError
from polyrelu.exact.rational import primitive_row
from polyrelu.network.model import Network
from polyrelu.network.plain import write_plain_network


class Checkers:
    """The checkers of certificates about one network, which is written once.

    Attributes
    ----------
    network : Network
    file, model : Path
    """

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.file, self.model = network, folder / "file.cert", folder / "model.json"
        write_plain_network(network, self.model)

    def accept(self, certificate: Certificate | bytes) -> CheckedTessellation:
        """Return what both prove."""
        found, refusal, reason = self._ask(certificate)
        assert found is not None, (refusal, reason)
        return found

    def refuse(self, certificate: Certificate | bytes) -> tuple[str, str]:
        """Return the condition that each names: the first one in words, the second one with its number."""
        found, refusal, reason = self._ask(certificate)
        assert found is None, found
        return refusal, reason

    def accepts(self, certificate: Certificate | bytes) -> bool:
        """Return whether both accept."""
        return self._ask(certificate)[0] is not None

    def _ask(self, certificate: Certificate | bytes) -> tuple[CheckedTessellation | None, str, str]:
        self.file.write_bytes(certificate if isinstance(certificate, bytes) else stored(certificate))
        found, refusal, counts, reason = None, "", None, ""
        try:
            found = check_certificate(read_certificate(self.file), self.network)
        except CertificateError as error:
            refusal = str(error)
            assert re.fullmatch(r"The certificate is refused: [^.].*\.", refusal, re.DOTALL), refusal
        try:
            counts = plain_checker.check(str(self.file), str(self.model))
        except plain_checker.Refused as error:
            reason = str(error)
            assert re.match(r"condition [1-8] \(", reason), reason
        assert (found and tuple(found)) == (counts and tuple(counts.values())[:4]), (found, refusal, counts, reason)
        return found, refusal, reason


def stored(certificate: Certificate) -> bytes:
    """Return a certificate as its file."""
    return b"".join(to_bytes(certificate))


def renewed(data: bytes) -> bytes:
    """Return a file with the digest of what it says."""
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def statement(certificate: Certificate, network: Network) -> dict[str, object]:
    """Return what a certificate says, in any order of its regions and facets: all but its proof.

    A facet on the domain's border is named by the row's halfspace, because rows may coincide.
    """
    patterns = all_patterns(certificate, network)
    facets = {}
    for facet, (first, second) in enumerate(certificate.levels[-1].facets.tolist()):
        row = () if second >= 0 else primitive_row(certificate.domain.rows[-1 - second])
        sides = frozenset({patterns[first], patterns[second] if second >= 0 else row})
        bounds = slice(*certificate.facet_starts[facet : facet + 2].tolist())
        facets[sides] = tuple(certificate.facet_neurons[bounds].tolist())
    return {
        "patterns": set(patterns),
        "facets": facets,
        "maps": groups(patterns, certificate.maps.tolist()),
        "linear regions": groups(patterns, certificate.linear_regions.tolist()),
    }


def all_patterns(certificate: Certificate, network: Network) -> list[tuple[int, ...]]:
    """Return the digits of each region."""
    found: list[tuple[int, ...]] = [()]
    for level, layer in zip(certificate.levels[1:], network.hidden, strict=True):
        digits = LayerBorders(layer.activation).unpack(level.digits).tolist()
        found = [found[parent] + tuple(own) for parent, own in zip(level.parents.tolist(), digits, strict=True)]
    return found


def groups(patterns: list[tuple[int, ...]], labels: list[int]) -> set[frozenset[tuple[int, ...]]]:
    """Return the patterns that share a label."""
    return {frozenset(p for p, own in zip(patterns, labels, strict=True) if own == label) for label in set(labels)}
