"""`from_torch` against PyTorch in float64, layer by layer, and what it refuses."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyrelu.errors import InputError, MissingExtraError, NetworkError, UnsupportedNodeError
from polyrelu.network.torch_reader import from_torch

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
nn, F = torch.nn, torch.nn.functional


def dyadic(module, seed=0):
    """Return the module in evaluation mode with multiples of 1/4 as numbers."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point():
            values = torch.randint(-8, 9, tensor.shape, generator=generator) / 4
            tensor.data = values.abs() + 0.25 if name.endswith("running_var") else values
    return module.eval()


def points_of(network, seed=0, n=8):
    return np.random.default_rng(seed).integers(-8, 9, (n, network.dim)) / 4


def expected_of(module, points, shape):
    """Return the module's outputs, one input at a time: some functions mix what is in a batch."""
    with torch.no_grad():
        outputs = [module.double()(torch.tensor(point).reshape(1, *shape)) for point in points]
    return torch.stack([output.flatten() for output in outputs]).numpy()


def assert_equal(module, shape, seed=0):
    """Assert that the network equals the module at quarter points, in floats and in rationals; return it."""
    network = from_torch(dyadic(module, seed), shape)
    points = points_of(network, seed)
    expected = expected_of(module, points, shape)
    assert (network(points) == expected).all()
    assert network.exact(points[0].tolist()) == tuple(map(Fraction, expected[0].tolist()))
    return network


def assert_close(module, shape, seed=0):
    """Assert that the network agrees with the module but for float64; return it."""
    network = from_torch(module.eval(), shape)
    points = points_of(network, seed)
    expected = expected_of(module, points, shape)
    assert np.abs(network(points) - expected).max() <= 1e-6 * max(1, np.abs(expected).max())
    return network


class Function(nn.Module):
    """A module from a function of the input and a few parameters."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.W = nn.Parameter(torch.zeros(3, 4))
        self.b = nn.Parameter(torch.zeros(4))
        self.kernel = nn.Parameter(torch.zeros(3, 2, 2, 2))
        self.linear = nn.Linear(4, 4)
        self.register_buffer("index", torch.tensor([2, 0, 3]))

    def forward(self, x):
        return self.function(self, x)


# Modules -----------------------------------------------------------------------------------------------------

IMAGE = (2, 5, 6)
EQUAL = {
    "linear": (nn.Linear(3, 4), (3,)),
    "linear without bias": (nn.Linear(3, 4, bias=False), (3,)),
    "linear over the last axis": (nn.Linear(3, 4), (2, 3)),
    "mlp": (nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)), (3,)),
    "conv1d": (nn.Conv1d(2, 3, 2, stride=2, padding=1, dilation=2), (2, 7)),
    "conv2d": (nn.Conv2d(2, 3, (2, 3), stride=(1, 2), padding=(1, 0)), IMAGE),
    "conv2d groups": (nn.Conv2d(4, 6, 2, groups=2), (4, 3, 3)),
    "conv2d same": (nn.Conv2d(2, 3, (2, 3), padding="same", dilation=(1, 2)), IMAGE),
    "conv2d valid": (nn.Conv2d(2, 3, 2, padding="valid"), IMAGE),
    "conv3d": (nn.Conv3d(1, 2, 2), (1, 3, 3, 2)),
    "relu": (nn.ReLU(), (4,)),
    "relu in place": (nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)), (4,)),
    "leaky relu": (nn.LeakyReLU(0.25), (4,)),
    "prelu": (nn.PReLU(), (4,)),
    "prelu channels": (nn.PReLU(2), IMAGE),
    "hardtanh": (nn.Hardtanh(-0.5, 1.25), (4,)),
    "relu6": (nn.Sequential(nn.Linear(4, 4), nn.ReLU6()), (4,)),
    "threshold": (nn.Threshold(0.5, 0.5), (4,)),
    "identity": (nn.Sequential(nn.Identity(), nn.Linear(2, 2)), (2,)),
    "dropout": (nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2), nn.Dropout(0.5)), (2,)),
    "flatten": (nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), (3, 2, 2)),
    "unflatten": (nn.Sequential(nn.Unflatten(1, (2, 2)), nn.Linear(2, 3)), (4,)),
    "max pool 1d": (nn.MaxPool1d(3, stride=2, padding=1), (2, 7)),
    "max pool 2d": (nn.MaxPool2d((2, 3), dilation=(1, 2), ceil_mode=True), (2, 5, 7)),
    "average pool 1d": (nn.AvgPool1d(2), (2, 7)),
    "average pool 2d": (nn.AvgPool2d(2, padding=1), IMAGE),
    "average pool 2d counts": (nn.AvgPool2d(2, padding=1, count_include_pad=False), IMAGE),
    "adaptive average": (nn.AdaptiveAvgPool2d(1), (2, 4, 4)),
    "adaptive average, some axes": (nn.AdaptiveAvgPool2d((2, None)), (2, 4, 3)),
    "adaptive max": (nn.AdaptiveMaxPool2d((1, 2)), (2, 3, 4)),
    "padding": (nn.Sequential(nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(2, 1, 2)), IMAGE),
    "constant padding": (nn.ConstantPad1d((1, 2), 0.5), (2, 3)),
    "nested": (nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 1)), (2,)),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUAL)
def test_module_equals_pytorch(name):
    assert_equal(*EQUAL[name])


CLOSE = {
    "hardsigmoid": (nn.Hardsigmoid(), (4,)),
    "leaky relu default": (nn.LeakyReLU(), (4,)),
    "average of nine": (nn.AvgPool2d(3, padding=1, ceil_mode=True), IMAGE),
    "average of nine, 1 to 9 counted": (nn.AvgPool2d(3, padding=1, count_include_pad=False), IMAGE),
    "conv and average": (nn.Sequential(nn.Conv2d(2, 3, 2), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(3, 2)), IMAGE),
}


@pytest.mark.parametrize("name", CLOSE)
def test_module_agrees_with_pytorch(name):
    assert_close(*CLOSE[name])


@pytest.mark.parametrize(
    ("norm", "shape"),
    [
        (nn.BatchNorm1d(3), (3,)),
        (nn.BatchNorm1d(3), (3, 4)),
        (nn.BatchNorm2d(3, eps=0.1), (3, 2, 2)),
        (nn.BatchNorm2d(3, affine=False), (3, 2, 2)),
    ],
)
def test_batch_norm(norm, shape):
    assert_close(dyadic(norm), shape)
    assert_close(dyadic(nn.Sequential(norm, nn.ReLU())), shape)


def test_functional_batch_norm():
    def function(m, x):
        statistics = torch.zeros(4).double(), torch.ones(4).double()
        return F.batch_norm(x, *statistics, weight=m.b, bias=m.b, eps=3.0)

    network = assert_equal(Function(function), (4,))
    assert network.hidden == ()


def test_batch_norm_is_folded_into_the_convolution():
    module = dyadic(nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.ReLU()))
    network = assert_close(module, IMAGE)
    assert len(network.hidden) == 1
    assert network.notes[1] == (
        "BatchNorm2d node '1' (3 of 5) is folded into the affine map before it, in 64-bit floats."
    )


# Functions and methods ---------------------------------------------------------------------------------------

FUNCTIONS = {
    "F.relu": lambda m, x: F.relu(x),
    "torch.relu": lambda m, x: torch.relu(x),
    "x.relu": lambda m, x: x.relu(),
    "relu_": lambda m, x: m.linear(x).relu_(),
    "F.leaky_relu": lambda m, x: F.leaky_relu(x, 0.25),
    "F.prelu": lambda m, x: F.prelu(x, m.b),
    "F.hardtanh": lambda m, x: F.hardtanh(x, min_val=-0.5),
    "F.relu6": lambda m, x: F.relu6(x),
    "F.dropout": lambda m, x: F.dropout(x, training=m.training),
    "abs": lambda m, x: torch.abs(x) + x.abs(),
    "clamp": lambda m, x: torch.clamp(x, -1, 0.5) + x.clamp(min=-0.25) + x.clamp_max(1),
    "clamp to tensors": lambda m, x: torch.clamp(x, min=m.b),
    "max and min of tensors": lambda m, x: torch.maximum(x, m.b) - torch.min(x, 2 * x),
    "max along an axis": lambda m, x: torch.max(x, dim=1)[0] + torch.min(x, 1, keepdim=True).values,
    "max of all": lambda m, x: x.max().reshape(1, 1) + x,
    "amax": lambda m, x: x.amax(dim=-1, keepdim=True) + torch.amin(x, (0, 1)),
    "mean and sum": lambda m, x: x.mean(1) + x.sum(dim=-1) + torch.mean(x, dim=1, keepdim=True),
    "arithmetic": lambda m, x: -(2 * x - m.b) / 4 + x * 0.5 - 1 + m.b * x,
    "functions of arithmetic": lambda m, x: torch.add(x, m.b, alpha=2) - torch.sub(m.b, torch.mul(x, 0.5)),
    "methods of arithmetic": lambda m, x: x.add(m.b).mul(2).sub(x).div(4).neg(),
    "arithmetic in place": lambda m, x: m.linear(x).mul_(2).add_(m.b),
    "F.linear": lambda m, x: F.linear(x, m.W, m.b[:3]),
    "weights computed": lambda m, x: F.linear(x, 2 * m.W + m.b),
    "matmul": lambda m, x: x @ m.W.t() + torch.matmul(x, m.W.transpose(0, 1)),
    "transposed by attribute": lambda m, x: x @ m.W.T + x @ m.W.mT,
    "addmm": lambda m, x: torch.addmm(m.b[:3], x, m.W.permute(1, 0)),
    "getitem": lambda m, x: x[:, 1:3] + x[..., None][:, 2:, 0],
    "getitem by a tensor": lambda m, x: x[:, m.index],
    "cat": lambda m, x: torch.cat([x, F.relu(x), m.b[None]], dim=1),
    "stack": lambda m, x: torch.stack((x, -x), 1).flatten(1),
    "split and chunk": lambda m, x: x.split(3, dim=1)[1] + torch.chunk(x, 2, 1)[0] + torch.split(x, [1, 3], 1)[0],
    "shapes": lambda m, x: x.view(x.size(0), -1).reshape(x.shape[0] * 2, 2).unsqueeze(1).squeeze(1),
    "integers": lambda m, x: x.reshape(x.size()[0], x.shape[1] // 2, -1).permute(0, 2, 1).contiguous(),
    "squeeze": lambda m, x: torch.unsqueeze(x, 2).squeeze(-1).squeeze(1),
    "conversions": lambda m, x: x.clone().detach().double().to(torch.float64),
    "residual": lambda m, x: F.relu(m.linear(F.relu(m.linear(x))) + x),
    "F.pad": lambda m, x: F.pad(x, (1, 2), value=0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_equals_pytorch(name):
    assert_equal(Function(FUNCTIONS[name]), (4,))


IMAGES = {
    "F.conv2d": lambda m, x: F.conv2d(x, m.kernel, m.b[:3], padding=1),
    "F.max_pool2d": lambda m, x: F.max_pool2d(x, 2),
    "F.avg_pool2d": lambda m, x: F.avg_pool2d(x, (2, 2), stride=1),
    "F.adaptive_avg_pool2d": lambda m, x: F.adaptive_avg_pool2d(x, (1, 2)),
    "pools after another": lambda m, x: F.max_pool2d(F.relu(F.conv2d(x, m.kernel)), 2).flatten(1),
    "transposed": lambda m, x: torch.flatten(x.permute(0, 2, 3, 1), start_dim=1),
}


@pytest.mark.parametrize("name", IMAGES)
def test_function_of_images_equals_pytorch(name):
    assert_equal(Function(IMAGES[name]), (2, 4, 4))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_convolutions_and_pools(data):
    number = lambda low, high: data.draw(st.integers(low, high))  # noqa: E731
    kernel, stride, dilation, groups = number(1, 3), number(1, 3), number(1, 2), number(1, 2)
    size = dilation * (kernel - 1) + 1 + number(0, 4)
    edge = number(0, kernel // 2)
    conv = nn.Conv2d(2, 4, kernel, stride, edge, dilation, groups)
    assert_equal(conv, (2, size, size + 1), number(0, 9))
    ceil_mode = data.draw(st.booleans())
    assert_equal(nn.MaxPool2d(kernel, stride, edge, dilation, ceil_mode=ceil_mode), (2, size, size + 1))
    count = data.draw(st.booleans())
    assert_close(nn.AvgPool2d(kernel, stride, edge, ceil_mode, count), (2, size, size + 1))


# Exactness and form ------------------------------------------------------------------------------------------


def test_weights_are_taken_exactly():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    network = from_torch(module)
    point = [Fraction(1, 3), Fraction(-2), Fraction(5, 7)]
    expected = point
    for layer in module:
        weight, bias = layer.weight.tolist(), layer.bias.tolist()
        expected = [sum(Fraction(w) * v for w, v in zip(row, expected, strict=True)) + Fraction(b)
                    for row, b in zip(weight, bias, strict=True)]  # fmt: skip
    assert network.exact(point) == tuple(expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types_of_weights(dtype):
    module = nn.Linear(2, 2).to(dtype)
    assert (from_torch(module).output.weight == module.weight.double().detach().numpy()).all()


def test_python_numbers_are_doubles():
    function = from_torch(nn.Sequential(nn.Linear(1, 1), nn.LeakyReLU(0.1))).hidden[0].activation.functions[0]
    assert function.slopes[0] == Fraction(0.1)
    assert function.slopes[0] != Fraction(1, 10)


def test_the_module_is_not_changed():
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    before = [p.clone() for p in module.parameters()]
    from_torch(module)
    assert module.training
    assert all((a == b).all() for a, b in zip(before, module.parameters(), strict=True))


def test_input_shape_from_the_first_layer():
    assert from_torch(nn.Sequential(nn.Flatten(), nn.Identity(), nn.Linear(6, 1))).dim == 6


def test_notes():
    module = nn.Sequential(nn.Conv1d(1, 2, 2), nn.Sigmoid()).eval()
    assert from_torch(module, (1, 3)).notes == (
        "The input of shape (1, 3) is flattened in C order.",
        "Sigmoid node '1' (3 of 4) is dropped: the outputs are the values it reads.",
        "The output of shape (2, 2) is flattened in C order.",
    )


@pytest.mark.parametrize("last", [nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid()])
def test_last_softmax_is_dropped(last):
    linear = dyadic(nn.Linear(2, 3))
    network = from_torch(nn.Sequential(linear, last))
    assert (network.output.weight == linear.weight.detach().numpy()).all()


def test_one_output_in_a_tuple():
    assert from_torch(Function(lambda m, x: (F.relu(x),)), (4,)).n_neurons == 4


# Operations in place -----------------------------------------------------------------------------------------


def test_value_changed_in_place_and_read_later():
    for function in (
        lambda m, x: (y := m.linear(x)).relu_() + y,
        lambda m, x: F.relu(y := m.linear(x), inplace=True) + y,
        lambda m, x: (y := m.linear(x)).view(-1, 4).relu_() + y,
        _siblings,
    ):
        with pytest.raises(UnsupportedNodeError, match="inplace=False"):
            from_torch(Function(function).eval(), (4,))


def _siblings(m, x):
    y = m.linear(x)
    a, b = y.view(-1, 4), y.view(-1, 2, 2)
    a.relu_()
    return b


def test_value_changed_in_place_and_read_before():
    def function(m, x):
        y = m.linear(x)
        z = y * 2
        return y.relu_() + z

    assert_equal(Function(function), (4,))


# Refusals ----------------------------------------------------------------------------------------------------


def refused(module, shape=None, error=UnsupportedNodeError):
    with pytest.raises(error) as caught:
        from_torch(module, shape)
    return str(caught.value)


def test_unknown_module_is_named_with_its_place():
    assert refused(nn.Sequential(nn.Linear(2, 2), nn.Tanh())) == (
        "Tanh node '1' (3 of 4): `from_torch` needs piecewise-linear operations but received Tanh. Replace it by a "
        "piecewise-linear activation."
    )


REFUSED = {
    "unknown function": (lambda m, x: torch.exp(x), "exp node 'exp' (2 of 3)"),
    "unknown method": (lambda m, x: x.cumsum(1), "cumsum"),
    "attribute": (lambda m, x: x.grad, "grad"),
    "product of two branches": (lambda m, x: x * x, "constant"),
    "division by the input": (lambda m, x: 1 / x, "constant"),
    "division by zero": (lambda m, x: x / 0, "not zero"),
    "softmax in the middle": (lambda m, x: m.linear(F.softmax(x, 1)), "to come last"),
    "training dropout": (lambda m, x: F.dropout(x), "evaluation mode"),
    "threshold that jumps": (lambda m, x: F.threshold(x, 0.5, 0), "jump"),
    "reflected padding": (lambda m, x: F.pad(x, (1, 1), mode="reflect"), "reflect"),
    "unknown argument": (lambda m, x: torch.div(x, 2, rounding_mode="floor"), "rounding_mode"),
    "indices of a max": (lambda m, x: torch.max(x, 1)[1] + x, "None"),
    "cast to integers": (lambda m, x: x.to(torch.int64), "int64"),
    "shapes that do not match": (lambda m, x: x + m.b[:3], "(1, 4) and (3,)"),
    "reshape to another size": (lambda m, x: x.view(3), "reshape"),
    "index beyond the end": (lambda m, x: x[:, 4], "out of bounds"),
    "power": (lambda m, x: x**2, "pow"),
    "several outputs": (lambda m, x: (x, m.linear(x)), "one tensor"),
    "a constant returned": (lambda m, x: 3, "one tensor"),
    "nan": (lambda m, x: x * float("nan"), "finite"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_says_why(name):
    function, words = REFUSED[name]
    assert words in refused(Function(function).eval(), (4,), NetworkError)


@pytest.mark.parametrize(
    ("module", "shape", "words"),
    [
        (nn.Sequential(nn.BatchNorm1d(2)), (2,), "module.eval()"),
        (nn.BatchNorm1d(2, track_running_stats=False).eval(), (2,), "statistics"),
        (nn.Dropout(0.5), (2,), "module.eval()"),
        (nn.Conv2d(1, 1, 2, padding=1, padding_mode="reflect"), (1, 3, 3), "padding_mode='reflect'"),
        (nn.MaxPool2d(2, return_indices=True), (1, 2, 2), "return_indices"),
        (nn.AvgPool2d(2, divisor_override=3), (1, 2, 2), "divisor_override"),
        (nn.AdaptiveAvgPool2d(2), (1, 3, 3), "divide [3, 3]"),
        (nn.Sequential(nn.Softmax(1), nn.Linear(2, 2)), (2,), "Softmax node '0' (2 of 4) to come last"),
        (nn.LayerNorm(2), (2,), "LayerNorm"),
    ],
)
def test_module_refused(module, shape, words):
    assert words in refused(module, shape)


def test_control_flow():
    assert "control flow" in refused(Function(lambda m, x: x if x.sum() > 0 else -x), (4,))


def test_hooks():
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].register_forward_hook(lambda *_: None)
    assert "'0' (Linear)" in refused(module)


def test_several_inputs():
    class Two(nn.Module):
        def forward(self, x, y):
            return x + y

    assert "['x', 'y']" in refused(Two(), (2,), NetworkError)


def test_input_shape_needed():
    assert "input_shape" in refused(nn.Sequential(nn.ReLU()), None, InputError)


@pytest.mark.parametrize("shape", [4, (0,), (-1, 2), (2.0,), "ab"])
def test_input_shape_of_another_kind(shape):
    assert "positive integers" in refused(nn.ReLU(), shape, InputError)


@pytest.mark.parametrize("value", ["model.pt", {"weight": 0}, None, nn.Linear])
def test_something_else(value):
    assert "torch.nn.Module" in refused(value, None, InputError)


def test_scripted_module():
    with pytest.warns(DeprecationWarning):
        scripted = torch.jit.script(nn.Linear(2, 2))
    assert "torch.nn.Module" in refused(scripted, None, InputError)


def test_weights_without_data():
    assert "with data" in refused(nn.Linear(2, 2, device="meta"), None, NetworkError)


def test_infinite_weights():
    module = nn.Linear(2, 2)
    module.weight.data[0, 1] = torch.inf
    assert "inf at [0, 1]" in refused(module, None, NetworkError)


def test_pytorch_missing():
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from polyrelu.network.torch_reader import from_torch\n"
        "from polyrelu.errors import MissingExtraError\n"
        "try:\n    from_torch(None)\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "`from_torch` needs PyTorch. Install it with: pip install 'polyrelu[torch]'"
    assert issubclass(MissingExtraError, ImportError)
