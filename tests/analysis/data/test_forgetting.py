"""Forgetting events: from tables of predictions, and while a module is trained."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from polyrelu.analysis.claims.exact_dag import forgetting_events
from polyrelu.analysis.data.forgetting import ForgettingRecorder, forgetting_of
from polyrelu.errors import InputError, MissingExtraError


@given(st.integers(0, 6), st.integers(0, 4), st.data())
def test_events_are_those_of_the_definition(n_epochs, n, data):
    predictions = data.draw(arrays(np.int64, (n_epochs, n), elements=st.integers(0, 2)))
    labels = data.draw(arrays(np.int64, n, elements=st.integers(0, 2)))
    found = forgetting_of(predictions, labels)
    for k in range(n):
        column, label = predictions[:, k].tolist(), int(labels[k])
        expected = forgetting_events(column, label)
        learnt = [e for e in range(1, n_epochs) if column[e - 1] != label and column[e] == label]
        assert (found.forgotten_at(k), found.n_forgotten[k]) == (expected, len(expected))
        assert (found.learnt_at(k), found.n_learnt[k]) == (learnt, len(learnt))
        assert found.is_forgettable[k] == (not found.is_unforgettable[k]) == bool(expected)
        assert found.is_never_learnt[k] == (label not in column)
        # Learning and forgetting take turns.
        assert abs(len(learnt) - len(expected)) <= 1


def test_a_point_that_is_never_learnt_is_unforgettable():
    found = forgetting_of([[0], [0]], [1])
    assert (found.is_unforgettable.tolist(), found.is_never_learnt.tolist()) == ([True], [True])


@pytest.mark.parametrize(
    ("predictions", "labels", "part"),
    [([[0.0, 1.0]], [0, 1], "float64"), ([0, 1], [0, 1], "\\(2,\\)"), ([[0, 1]], [0], "2 whole numbers as labels")],
)
def test_tables_that_do_not_fit(predictions, labels, part):
    with pytest.raises(InputError, match=part):
        forgetting_of(predictions, labels)


def test_recorder_while_training():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    nn = torch.nn
    parts = (nn.Flatten(), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    module = nn.Sequential(*parts)
    x, y = torch.randn(40, 2, 2), torch.randint(0, 3, (40,))
    recorder, optimiser = ForgettingRecorder(x.numpy(), y.numpy()), torch.optim.SGD(module.parameters(), lr=1.0)
    expected = []
    module[2].eval()  # a frozen part in a module that is trained
    for epoch in range(6):
        recorder(epoch, module)
        assert module.training and module[4].training and not module[2].training
        module.eval()
        with torch.no_grad():
            expected.append(module(x).argmax(1).tolist())
        module.train()
        module[2].eval()
        nn.functional.cross_entropy(module(x), y).backward()
        optimiser.step()
        optimiser.zero_grad()
    found = recorder.forgetting()
    assert found.predictions.tolist() == expected
    assert recorder.epochs == list(range(6))
    assert found.n_forgotten.sum() == sum(
        len(forgetting_events([row[k] for row in expected], int(y[k]))) for k in range(40)
    )
    with pytest.raises(InputError, match="growing epochs but received 0 after 5"):
        recorder(0, module)


def test_recorder_in_train_classifier():
    pytest.importorskip("torch")
    from polyrelu.analysis.experiments.classifiers import dense_classifier, train_classifier
    from polyrelu.analysis.experiments.image_data import image_data

    data = image_data("digits").first(200, 50)
    recorder = ForgettingRecorder(data.train_images, data.train_labels)
    train_classifier(dense_classifier(data, [8]), data, epochs=3, callback=recorder)
    found = recorder.forgetting()
    assert (recorder.epochs, found.predictions.shape) == ([0, 1, 2, 3], (4, 200))
    assert found.is_right[3].mean() > found.is_right[0].mean()


def test_one_output_is_a_class_where_it_is_positive():
    torch = pytest.importorskip("torch")
    module = torch.nn.Identity()
    recorder = ForgettingRecorder(np.array([[1.0], [-1.0], [0.0]]), [1, 0, 1])
    recorder(0, module)
    assert recorder.forgetting().predictions.tolist() == [[1, 0, 0]]


def test_equal_outputs_give_the_first_label_and_no_call_gives_no_row():
    torch = pytest.importorskip("torch")
    recorder = ForgettingRecorder(np.zeros((3, 50)), [0, 0, 1])
    assert recorder.forgetting().predictions.shape == (0, 3)
    recorder(0, torch.nn.Identity())
    assert recorder.forgetting().predictions.tolist() == [[0, 0, 0]]


def test_recorder_refuses():
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match="3 whole numbers as labels"):
        ForgettingRecorder(np.zeros((3, 2)), [0, 1])
    with pytest.raises(InputError, match="received an array of shape \\(\\)"):
        ForgettingRecorder(1.0, [0])
    recorder = ForgettingRecorder(np.zeros((3, 2, 2)), [0, 1, 1])
    with pytest.raises(InputError, match="Flatten them"):
        recorder(0, torch.nn.Identity())
    assert recorder.epochs == recorder.rows == []


def test_recorder_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"polyrelu\[torch\]"):
        ForgettingRecorder(np.zeros((1, 1)), [0])(0, None)
