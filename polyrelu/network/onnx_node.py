"""One ONNX node with what it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from polyrelu.errors import NetworkError, UnsupportedNodeError
from polyrelu.network.graph import Graph
from polyrelu.network.tensors import Dropped, Tensor, constant_of

__all__ = ["Handler", "Node", "Value"]

Value: TypeAlias = Tensor | Dropped


@dataclass(frozen=True)
class Node:
    """One node with what it reads.

    Attributes
    ----------
    kind, label : str
    inputs : list of Tensor, Dropped or None
        None for an input that is left out.
    attributes : dict
    n_outputs : int
    """

    kind: str
    label: str
    inputs: list[Any]
    attributes: dict[str, Any]
    n_outputs: int

    def tensor(self, number: int = 0) -> Tensor:
        """Return an input that has to be there."""
        value = self.inputs[number] if number < len(self.inputs) else None
        if isinstance(value, Dropped):
            raise UnsupportedNodeError(
                f"`from_onnx` needs {value.label} to come last, where it is dropped, but this node reads it. "
                "Export the part of the model before it."
            )
        if value is None:
            raise NetworkError(f"{self.kind} needs input {number} but it is left out. Export the model again.")
        return value

    def all_tensors(self) -> list[Tensor]:
        """Return all inputs."""
        return [self.tensor(number) for number in range(len(self.inputs))]

    def constant(self, number: int) -> NDArray | None:
        """Return an input that has to be a constant, or None if it is left out."""
        if number >= len(self.inputs) or self.inputs[number] is None:
            return None
        return constant_of(self.tensor(number), f"Input {number} of {self.kind}")

    def required(self, number: int) -> NDArray:
        """Return an input that has to be there and a constant."""
        return constant_of(self.tensor(number), f"Input {number} of {self.kind}")

    def scalar(self, number: int, attribute: str, default: float | None) -> float | None:
        """Return a number given as an attribute in old opsets and as an input in later ones."""
        value = self.attributes.get(attribute, default)
        given = self.constant(number)
        if given is not None:
            if given.size != 1:
                raise NetworkError(f"{self.kind} needs one number as {attribute} but received {given.shape}.")
            value = float(given.ravel()[0])
        return value

    def integers(self, number: int, attribute: str) -> list[int] | None:
        """Return integers given as an attribute in old opsets and as an input in later ones."""
        given = self.constant(number)
        values = self.attributes.get(attribute) if given is None else given.ravel().tolist()
        return None if values is None else [int(value) for value in values]


Handler: TypeAlias = Callable[[Graph, Node], "Value | list[Value]"]
"""What reads a node: a function that returns its output, or a list of all of them."""
