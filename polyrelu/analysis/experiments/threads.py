"""One thread for many small products: more of them cost far more time in waiting than they save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from polyrelu.errors import MissingExtraError

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch, BLAS and scikit-learn use one thread each, and then as many as before.

    Raises
    ------
    MissingExtraError
        Without PyTorch or scikit-learn.

    Examples
    --------
    >>> import torch
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    try:
        import threadpoolctl
        import torch
    except ModuleNotFoundError as error:
        missing = "PyTorch" if error.name == "torch" else "scikit-learn"
        extra = "torch" if error.name == "torch" else "data"
        message = f"An experiment needs {missing}. Install it with: pip install 'polyrelu[{extra}]'"
        raise MissingExtraError(message) from None
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpoolctl.threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
