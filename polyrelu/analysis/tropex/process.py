"""From a network to its extracted function layer by layer: how labels change on the way (Trimmel et al. 2021, Fig. 3).

Merging the last layer alone changes nothing but labels without data; each further layer leaves out what other patterns
of it would add.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.data.patterns import labels_at, patterns_at, unit_digits_at
from polyrelu.analysis.data.points import checked_labels, checked_points
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.errors import InputError
from polyrelu.network.activation import IDENTITY, MAX_UNIT, Activation
from polyrelu.network.batches import batch_network, chunks
from polyrelu.network.model import Layer, Network

__all__ = ["MergeStep", "checked_test_labels", "transformation_process", "values_behind"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MergeStep:
    """How the network does once its last layers are an extracted function.

    Attributes
    ----------
    n_merged : int
        Number of layers merged, from the last one on; 0 is the network itself.
    layer : str
        The layer that this step merges: "max" if it has max units, else how its weight is stored, "dense" or "sparse"
        (convolutions of images of some size); "" for 0.
    agreement : float
        Fraction of the test points that get the network's label.
    accuracy : float or None
        Fraction of them that get their true label, where that is known.
    """

    n_merged: int
    layer: str
    agreement: float
    accuracy: float | None


def transformation_process(
    network: Network,
    train_points: ArrayLike,
    test_points: ArrayLike,
    test_labels: ArrayLike | None = None,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[MergeStep, ...]:
    """Return how labels of test points change while layers become an extracted function, from the last to the first.

    At each step, test points go through the layers that are left, and then through the function that TropEx extracts
    from the others at what the training points are there.

    Parameters
    ----------
    network : Network
    train_points : array, shape (n_train, ...) with dim numbers each
    test_points : array, shape (n_test, ...)
    test_labels : int array, shape (n_test,), optional
    device : str, optional
        Work with PyTorch on this device; default: NumPy.
    progress : callable, optional
        ``progress(done, total)`` hears how many steps are done.

    Returns
    -------
    tuple of MergeStep
        One more than the network has layers; the last is the extracted function of the whole network.

    Raises
    ------
    InputError, MissingExtraError
        As `extract_terms`; if there are no test points, or not a label for each.

    Notes
    -----
    What points are behind a layer is rounded to floats. Memory, for each unit of the widest layer: a value of each
    point, and besides two slopes for each training point.

    Examples
    --------
    >>> network = Network.from_arrays([([[1], [-1]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    >>> steps = transformation_process(network, [[3.0], [-1.0]], [[2.0], [0.75], [1.25]], [0, 1, 0])
    >>> [(step.n_merged, step.layer, step.agreement, step.accuracy) for step in steps]
    [(0, '', 1.0, 1.0), (1, 'dense', 1.0, 1.0), (2, 'dense', 1.0, 1.0)]
    """
    train, test = (checked_points(network, each, "transformation_process") for each in (train_points, test_points))
    own, true = labels_at(network, test, device), checked_test_labels(test_labels, len(test), "transformation_process")
    n_layers, steps = len(network.layers), []
    by_layer = zip(*(_values_by_layer(network, each, device) for each in (train, test)), strict=True)
    for first, (inputs, values) in enumerate(by_layer):
        rest = network if not first else Network(network.hidden[first:], network.output)
        labels = extract_terms(rest, inputs, device=device).labels_of(values, device=device)
        steps.append(_step(n_layers - first, _kind(network.layers[first]), labels, own, true))
        if progress is not None:
            progress(first + 1, n_layers)
    return (_step(0, "", own, own, true), *reversed(steps))


def values_behind(network: Network, n_layers: int, points: ArrayLike, device: str | None = None) -> Floats:
    """Return what points are behind the first hidden layers, in floats, shape (n, n_units); the points for none.

    Every unit is on the piece that exact arithmetic chooses.

    Raises
    ------
    InputError, MissingExtraError
        As `patterns_at`; if there are not so many hidden layers.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> values_behind(xor(), 1, [[0.5, 1.0]]).tolist()
    [[1.5, 0.5]]
    """
    x = checked_points(network, points, "values_behind")
    if not 0 <= n_layers <= len(network.hidden):
        raise InputError(
            f"values_behind needs up to {len(network.hidden)} hidden layers but received {n_layers}. Count from the "
            "first one."
        )
    if not n_layers:
        return x
    start = replace(network, hidden=network.hidden[:n_layers], output=_nothing(network.hidden[n_layers - 1].n_outputs))
    return deque(_values_by_layer(start, x, device), maxlen=1).pop()


def _values_by_layer(network: Network, points: Floats, device: str | None) -> Iterator[Floats]:
    """Yield the points, then what they are behind the first hidden layer, behind the second, ...: rows."""
    batch, patterns = batch_network(network, device), patterns_at(network, points, device)
    values = points
    yield values
    for k, layer in enumerate(batch.layers[:-1]):
        behind = np.empty((len(points), layer.layer.n_outputs))
        for piece in chunks(len(points), batch.arrays.chunk):
            own = batch.arrays.of(np.ascontiguousarray(values[piece].T))
            if not k and batch.input_map is not None:
                matrix, constants = batch.input_map
                own = matrix @ own + constants[:, None]
            digits = unit_digits_at(batch, patterns, piece)[k]
            behind[piece] = batch.arrays.to_host(layer.outputs(layer.preactivations(own), digits)).T
        values = behind
        yield values


def checked_test_labels(labels: ArrayLike | None, n: int, who: str) -> NDArray[np.int64] | None:
    """Return true labels as an int64 array, shape (n,), if there is one for each of ``n > 0`` points."""
    if not n:
        raise InputError(f"{who} needs at least one test point but received none. Pass some data.")
    if labels is None:
        return None
    return checked_labels(labels, n, who)


def _step(
    n_merged: int, layer: str, labels: NDArray[np.int64], own: NDArray[np.int64], true: NDArray[np.int64] | None
) -> MergeStep:
    accuracy = None if true is None else float((labels == true).mean())
    return MergeStep(n_merged, layer, float((labels == own).mean()), accuracy)


def _kind(layer: Layer) -> str:
    if (layer.activation.kind == MAX_UNIT).any():
        return "max"
    return "sparse" if layer.is_sparse else "dense"


def _nothing(n_inputs: int) -> Layer:
    """Return an output layer with one output that reads nothing: it ends a network behind its hidden layers."""
    return Layer(np.zeros((1, n_inputs)), np.zeros(1), Activation.same(IDENTITY, 1))
