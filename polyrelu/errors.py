"""Every error polyrelu raises on purpose, in one tree under `PolyreluError`.

Messages have four parts: who needs what, what it received, where, and what to do.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BudgetError",
    "CertificateError",
    "DomainError",
    "EmptyRegionError",
    "EnumerationInterrupted",
    "FileError",
    "InputError",
    "InternalError",
    "MissingExtraError",
    "NetworkError",
    "PatternError",
    "PolyreluError",
    "UnboundedError",
    "UnsupportedNodeError",
]


class PolyreluError(Exception):
    """Base of every error that polyrelu raises on purpose."""


class InputError(PolyreluError, ValueError):
    """An argument, a file or a model is not what the function needs."""


class NetworkError(InputError):
    """Arrays that do not form a network: wrong shapes, NaN, layers that do not chain."""


class UnsupportedNodeError(NetworkError):
    """A model contains an operation that is not piecewise linear or not supported."""


class DomainError(InputError):
    """A domain that is empty, of the wrong dimension, or not convex.

    Attributes
    ----------
    certificate : object or None
        Farkas multipliers of the domain's rows, where the domain is empty.
    """

    def __init__(self, message: str, certificate: Any = None) -> None:
        super().__init__(message)
        self.certificate = certificate


class PatternError(InputError):
    """A pattern of the wrong length or with digits that no neuron has."""


class EmptyRegionError(PatternError):
    """No input realises the pattern.

    Attributes
    ----------
    certificate : object or None
        Farkas multipliers that prove emptiness, where the exact LP produced them.
    """

    def __init__(self, message: str, certificate: Any = None) -> None:
        super().__init__(message)
        self.certificate = certificate


class UnboundedError(InputError):
    """A bounded set was needed; the message names a ray of the one received."""


class CertificateError(InputError):
    """A proof that does not prove what it says; the message names the condition that failed."""


class FileError(InputError):
    """A file that is missing, damaged, exists already, or cannot be written."""


class MissingExtraError(PolyreluError, ImportError):
    """An optional package is not installed; the message says how to install it."""


class BudgetError(PolyreluError):
    """A limit on regions, time or memory was reached.

    Attributes
    ----------
    partial : object
        What was proved before the limit was reached.
    """

    def __init__(self, message: str, partial: Any = None) -> None:
        super().__init__(message)
        self.partial = partial


class EnumerationInterrupted(KeyboardInterrupt):
    """The user interrupted a long enumeration.

    Attributes
    ----------
    partial : object or None
        What was proved before, if anything was.
    """

    def __init__(self, partial: Any = None) -> None:
        super().__init__("The enumeration was interrupted; what was proved is in .partial.")
        self.partial = partial


class InternalError(PolyreluError, AssertionError):
    """A self-check failed: a bug in polyrelu. Please report the network that shows it."""
