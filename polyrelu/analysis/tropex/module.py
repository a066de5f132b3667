"""Extracted functions as PyTorch modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyrelu.errors import MissingExtraError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from polyrelu.analysis.tropex.extracted import ExtractedFunction

__all__ = ["to_module"]


def to_module(function: ExtractedFunction, own_denominator: bool = False) -> Module:
    """Return an extracted function as a PyTorch module with the terms as float64 buffers.

    It maps points, shape (n, ...) and of any type of numbers, to outputs, shape (n, n_out), by products of all points
    with all terms of a label at a time; ``.to`` moves it, and converts the terms, and with them the outputs.

    Raises
    ------
    MissingExtraError
        Without PyTorch.

    Examples
    --------
    >>> import torch
    >>> from polyrelu.analysis.tropex.extract import extract_terms
    >>> from polyrelu.testing import xor
    >>> module = to_module(extract_terms(xor(), [[0, 0.5], [1, 1]]))
    >>> x = torch.tensor([[0.0, 0.75]], dtype=torch.float64, requires_grad=True)
    >>> y = module(x)
    >>> y.sum().backward()
    >>> y.tolist(), x.grad.tolist()
    ([[0.75]], [[1.0, 1.0]])
    """
    try:
        import torch
    except ModuleNotFoundError:
        message = "`to_torch` needs PyTorch. Install it with: pip install 'polyrelu[torch]'"
        raise MissingExtraError(message) from None

    class Extracted(torch.nn.Module):
        """Differences of maxima of affine functions."""

        labels: Tensor
        plus_slopes: Tensor
        plus_constants: Tensor
        minus_slopes: Tensor
        minus_constants: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.n_out = function.n_out
            for name in ("labels", "plus_slopes", "plus_constants", "minus_slopes", "minus_constants"):
                self.register_buffer(name, torch.tensor(getattr(function, name)))

        def forward(self, points: Tensor) -> Tensor:
            """Return the outputs, shape (n, n_out), -inf for an output without data."""
            x = points.flatten(1).to(self.plus_slopes.dtype)
            shared = self._largest("minus", slice(None), x)
            columns = []
            for label in range(self.n_out):
                own = self.labels == label
                if bool(own.any()):
                    below = self._largest("minus", own, x) if own_denominator else shared
                    columns.append(self._largest("plus", own, x) - below)
                else:
                    columns.append(torch.full_like(x[:, 0], float("-inf")))
            return torch.stack(columns, 1)

        def _largest(self, side: str, terms: Tensor | slice, x: Tensor) -> Tensor:
            slopes, constants = getattr(self, f"{side}_slopes")[terms], getattr(self, f"{side}_constants")[terms]
            best: Tensor = torch.addmm(constants, x, slopes.T).max(1).values
            return best

    return Extracted()
