"""Patterns of torch modules from their graphs against those of the imported networks, digit by digit."""

import numpy as np
import pytest

from polyrelu.analysis.data.local_maps import local_maps
from polyrelu.analysis.data.module_patterns import module_patterns
from polyrelu.analysis.data.patterns import patterns_at
from polyrelu.errors import InputError, UnsupportedNodeError
from polyrelu.network.torch_reader import from_torch

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
nn, F = torch.nn, torch.nn.functional


class Function(nn.Module):
    """A module from a function of itself and its input."""

    def __init__(self, function):
        super().__init__()
        self.function, self.relu = function, nn.ReLU(inplace=True)
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.function(self, x)


def dyadic(module, seed=0):
    """Return the module in evaluation mode with multiples of 1/4 as numbers: float64 rounds nothing."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point():
            values = torch.randint(-8, 9, tensor.shape, generator=generator) / 4
            tensor.data = torch.ones_like(values) if name.endswith("running_var") else values
    for part in module.modules():
        if hasattr(part, "running_var"):
            part.eps = 0.0
    return module.eval()


def points_of(shape, n=9, seed=0):
    """Return points of quarters, halves among them, the first of them 0, where ties are ordinary."""
    points = np.random.default_rng(seed).integers(-4, 5, (n, *shape)) / 2
    points[0] = 0
    return points


def digits_of(module, points):
    """Return the digits of the module and of the imported network, and assert that the module is untouched."""
    state = module.state_dict(keep_vars=True)
    before = {name: (tensor.clone(), tensor.requires_grad) for name, tensor in state.items()}
    module.train()
    ours = module_patterns(module, points)
    assert module.training and ours.n_decided_exactly is None
    for name, tensor in state.items():
        assert tensor.equal(before[name][0]) and tensor.requires_grad == before[name][1] and tensor.grad is None
    network = from_torch(module.eval(), points.shape[1:])
    return ours, patterns_at(network, points)


IMAGE = (2, 6, 6)
CHAINS = {
    "relu": (nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(inplace=True), nn.Linear(3, 2)), (4,)),
    "no bias": (nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 2)), (4,)),
    "leaky": (nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(0.25), nn.Linear(5, 2)), (4,)),
    "leaky in place": (nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(0.25, inplace=True), nn.Linear(5, 2)), (4,)),
    "leaky that is linear": (nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(1.0), nn.ReLU()), (4,)),
    "prelu": (nn.Sequential(nn.Conv2d(2, 3, 2), nn.PReLU(3), nn.Flatten(), nn.ReLU()), IMAGE),
    "hard tanh": (nn.Sequential(nn.Linear(4, 5), nn.Hardtanh(), nn.Linear(5, 2)), (4,)),
    "relu6": (nn.Sequential(nn.Linear(4, 5), nn.ReLU6(), nn.Linear(5, 2)), (4,)),
    "hard sigmoid": (nn.Sequential(nn.Linear(4, 5), nn.Hardsigmoid()), (4,)),
    "convolution": (nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten()), IMAGE),
    "max pooling": (nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3), nn.ReLU()), IMAGE),
    "overlapping": (nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.Flatten(), nn.Linear(72, 3)), IMAGE),
    "dilated": (nn.Sequential(nn.MaxPool2d((2, 3), stride=2, padding=(1, 0), dilation=(2, 1), ceil_mode=True)), IMAGE),
    "max pooling 1d": (nn.Sequential(nn.MaxPool1d(2), nn.ReLU()), (2, 6)),
    "average": (nn.Sequential(nn.Conv2d(2, 2, 2), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8, 2)), IMAGE),
    "abs": (Function(lambda m, x: m.second(m.first(x).abs()).clamp(-1, 2)), (4,)),
    "clamp": (Function(lambda m, x: m.second(m.first(x).clamp(max=1)).clamp(min=0.5)), (4,)),
    "largest": (Function(lambda m, x: m.first(x).amax(1, keepdim=True)), (4,)),
    "max": (Function(lambda m, x: m.first(x).max(1).values), (4,)),
    "smallest": (Function(lambda m, x: m.first(x).min(1, keepdim=True).values), (4,)),
    "larger": (Function(lambda m, x: torch.maximum(m.first(x), m.second(x))), (4,)),
    "smaller": (Function(lambda m, x: torch.minimum(m.first(x), m.second(x))), (4,)),
    "larger than one": (Function(lambda m, x: torch.maximum(torch.ones(4), m.first(x))), (4,)),
    "smaller than one": (Function(lambda m, x: torch.minimum(m.first(x), torch.ones(4))), (4,)),
    "shared": (Function(lambda m, x: m.relu(m.second(m.relu(m.first(x))))), (4,)),
}  # fmt: skip
BRANCHES = {
    "residual": (Function(lambda m, x: F.relu(m.second(F.relu(m.first(x))) + x)), (4,)),
    "two branches": (Function(lambda m, x: F.relu(m.first(x)) + m.second(x).abs()), (4,)),
    "concatenated": (Function(lambda m, x: F.relu(torch.cat([m.first(x).relu(), m.second(x)], 1))), (4,)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_digits_of_a_chain_are_those_of_its_network(name):
    module, shape = CHAINS[name]
    ours, theirs = digits_of(dyadic(module), points_of(shape))
    assert ours.widths == theirs.widths
    assert (ours.layout.n_pieces == theirs.layout.n_pieces).all()
    assert (ours.words == theirs.words).all()
    assert len(np.unique(ours.digits())) > 1


@pytest.mark.parametrize("name", BRANCHES)
def test_digits_of_branches_are_those_of_the_network_in_another_order(name):
    module, shape = BRANCHES[name]
    ours, theirs = digits_of(dyadic(module), points_of(shape))
    assert sorted(ours.digits().T.tolist()) == sorted(theirs.digits().T.tolist())
    assert ours.count_distinct() == theirs.count_distinct()


def test_adaptive_max_pooling_names_the_winner():
    module, points = nn.AdaptiveMaxPool2d((2, 3)), points_of((1, 5, 7))
    patterns = module_patterns(module, points)
    windows = [(0, 3, 0, 3), (0, 3, 2, 5), (0, 3, 4, 7), (2, 5, 0, 3), (2, 5, 2, 5), (2, 5, 4, 7)]
    expected = [[point[0, a:b, c:d].argmax() for a, b, c, d in windows] for point in points]
    assert patterns.digits().tolist() == np.array(expected).tolist()
    assert patterns.layout.n_pieces.tolist() == [9] * 6


def test_masks_and_sorting_give_digits():
    def choose(m, x):
        y = torch.where(x > 0.5, x, 2 * x).masked_fill(x < -1, 0.0)
        return y.sort(1).values + y.topk(2, 1).values.sum(1, keepdim=True)

    points = np.array([[0.5, 1, -2, 0], [3, 2, 1, 0.75]])
    patterns = module_patterns(Function(choose), points)
    assert [str(patterns.pattern(k)) for k in range(2)] == ["0100|1101|2301|10", "1111|1111|3210|01"]


def test_batches_and_devices_do_not_matter():
    module, points = CHAINS["max pooling"][0], points_of(IMAGE, n=11)
    words = module_patterns(module, points).words
    heard = []
    again = module_patterns(module, torch.tensor(points), "cpu", 4, progress=lambda *args: heard.append(args))
    assert (again.words == words).all() and heard == [(4, 11), (8, 11), (11, 11)]
    assert (module_patterns(module, points[:1]).words == words[:1]).all()
    assert (module_patterns(module, points, dtype=torch.float32).words == words).all()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_gradients_may_be_turned_off(context):
    module, points = CHAINS["convolution"][0], points_of(IMAGE)
    words = module_patterns(module, points).words
    with context():
        assert (module_patterns(module, torch.tensor(points)).words == words).all()


def test_a_module_without_neurons_has_one_pattern():
    patterns = module_patterns(nn.Linear(3, 2), points_of((3,)))
    assert patterns.widths == () and patterns.count_distinct() == 1


# Refusals ----------------------------------------------------------------------------------------------------

REFUSED = {
    "GELU": (nn.GELU(), "the module does Gelu"),
    "a normalised layer": (nn.LayerNorm(4), "the module does NativeLayerNorm"),
    "a square": (Function(lambda m, x: x * x), "multiplies or divides two values"),
    "a product of maps": (Function(lambda m, x: m.first(x) * m.second(x)), "multiplies or divides two values"),
    "attention": (Function(lambda m, x: (x[:, :, None] @ x[:, None])), "multiplies or divides two values"),
    "a quotient": (Function(lambda m, x: torch.ones(4) / x), "multiplies or divides two values"),
    "a hidden factor": (Function(lambda m, x: x * x.detach()), "differs from point to point"),
    "a hidden mask": (Function(lambda m, x: x * (x > 0)), "differs from point to point"),
    "a hidden square": (Function(lambda m, x: _in_part(x, lambda part: part.mul_(x[:, :2]))), "in place"),
    "a hidden sigmoid": (Function(lambda m, x: _in_part(x, lambda part: part.sigmoid_())), "in place"),
    "centred outputs": (Function(lambda m, x: _centred(x - x.mean(0))), "mixes the points"),
    "a mean over points": (Function(lambda m, x: x - x.mean(0)), "mixes the points"),
    "statistics of points": (nn.BatchNorm1d(4, track_running_stats=False), "takes them from the points"),
    "points in the second axis": (Function(lambda m, x: F.relu(x.T).T), "batch as first axis"),
    "overwritten values": (Function(lambda m, x: F.relu(x).mul_(2)), "changed in place"),
}


def _centred(x):
    return x - x.mean(1, keepdim=True)


def _in_part(x, change):
    y = x.clone()
    change(y[:, :2])
    return y


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    module, message = REFUSED[name]
    with pytest.raises(UnsupportedNodeError, match=message):
        module_patterns(module, points_of((4,), n=5))


CUT = {
    "detach": lambda self, x: x + self.first(x).detach(),
    "everything": lambda self, x: self.first(x).detach(),
    "rounding": lambda self, x: x + (x.round() - x).detach(),
    "item": lambda self, x: x * self.first(x).max().item(),
    "the batch": lambda self, x: x - x.detach().mean(0),
}


@pytest.mark.parametrize("name", CUT)
def test_what_is_cut_from_the_graph_is_noticed(name):
    points = np.random.default_rng(1).standard_normal((5, 4))
    for look in (module_patterns, local_maps):
        with pytest.raises(UnsupportedNodeError, match=f"`{look.__name__}`.* is cut from the graph"):
            look(Function(CUT[name]), points)


@pytest.mark.parametrize("scale", [0.0, 1.0, 2.0**30, 2.0**-30])
@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: x.abs().clamp(min=0),
        lambda self, x: torch.maximum(self.first(x), self.first(x)),
        lambda self, x: torch.sort(F.hardtanh(x), dim=1)[0],
        lambda self, x: (x * 0.1 + x * 0.2) - x * 0.3,
        lambda self, x: self.first(x) + 1e12,
        lambda self, x: torch.stack([self.first(row) if row.sum() > 0 else self.second(row) for row in x]),
        lambda self, x: x * 0,
    ],
)
def test_breakpoints_rounding_and_decisions_are_no_cuts(function, scale):
    points = np.random.default_rng(2).integers(-1, 2, (6, 4)) * scale
    assert len(module_patterns(Function(function), points)) == 6
    assert len(local_maps(Function(function), points, None)) == 6


def test_an_axis_that_looks_like_the_batch_is_refused():
    for n in (3, 4, 5):
        with pytest.raises(UnsupportedNodeError):
            module_patterns(Function(lambda m, x: F.relu(x.T).T), points_of((4,), n=n))


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (np.zeros((0, 4)), {}, "Give one at least"),
        (np.zeros((2, 3)), {}, "it refuses shape"),
        ([[1, 2, float("nan"), 0]], {}, "finite numbers"),
        ([["a"]], {}, "cannot be read"),
        ([[1.0, 2.0], [3.0]], {}, "of one shape"),
        (np.zeros((2, 4)), {"batch_size": 0}, "batch size"),
        (np.zeros((2, 4)), {"device": "abacus"}, "device"),
    ],
)
def test_bad_points_are_refused(points, options, message):
    with pytest.raises(InputError, match=message):
        module_patterns(nn.Linear(4, 2), points, **options)


def test_what_is_no_module_is_refused():
    with pytest.raises(InputError, match="received function"):
        module_patterns(lambda x: x, [[1.0]])
