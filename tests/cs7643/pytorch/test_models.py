"""The models compute what their parameters say, and say clearly what does not fit."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from tolerances import apart, assert_within
from torch import nn
from torch.nn import functional as F

from cs7643.pytorch.evaluation import ProbabilitiesNotLogitsWarning, evaluating, warn_of_probabilities
from cs7643.pytorch.models import CNN, MyModel, Softmax, TwoLayerNN
from cs7643.pytorch.steps import make_optimizer, update_step
from cs7643.pytorch.training import first_filters

SIZE = (3, 8, 16)


def models():
    return [Softmax(SIZE, 7), TwoLayerNN(SIZE, 5, 7), CNN(SIZE, 5, 3, 7), MyModel(SIZE, 4, 3, 7)]


def images(count=4, dtype=torch.float32):
    return torch.randn(count, *SIZE, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.mark.parametrize("model", models(), ids=lambda model: type(model).__name__)
def test_logits_have_their_shape_and_are_no_probabilities(model):
    logits = model(images())
    assert logits.shape == (4, 7)
    assert (logits < 0).any()
    assert not torch.allclose(logits.sum(dim=1), torch.ones(4), atol=1e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not warn_of_probabilities(model, images())


def test_the_models_are_the_formulas_of_problem_6():
    x = images(dtype=torch.float64)
    softmax, two_layer, cnn = (model.double() for model in models()[:3])

    def assert_logits(model, inputs, expected):
        """Sums of n products each, layer by layer, that are as large as those of the absolute values."""
        positive = copy.deepcopy(model)
        with torch.no_grad():
            for parameter in positive.parameters():
                parameter.abs_()
            terms = sum(parameter[0].numel() + 1 for parameter in model.parameters() if parameter.ndim > 1)
            assert_within(model(inputs), expected.detach(), apart(terms) * positive(abs(inputs)).max().item())

    W, b = softmax.parameters()
    assert_logits(softmax, x, x.reshape(4, -1) @ W.T + b)
    W1, b1, W2, b2 = two_layer.parameters()
    assert_logits(two_layer, x, torch.clamp(x.reshape(4, -1) @ W1.T + b1, min=0) @ W2.T + b2)
    W1, b1, W2, b2 = cnn.parameters()
    padded = F.pad(x, (1, 1, 1, 1))
    maps = sum(
        torch.einsum("nchw,fc->nfhw", padded[:, :, i : i + 8, j : j + 16], W1[:, :, i, j])
        for i in range(3)
        for j in range(3)
    )
    maps = torch.clamp(maps + b1[:, None, None], min=0)
    pooled = maps.reshape(4, 5, 4, 2, 8, 2).amax(dim=(3, 5))
    assert_logits(cnn, x, pooled.reshape(4, -1) @ W2.T + b2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Softmax((3, 32), 10), r"im_size must be \(C, H, W\)"),
        (lambda: Softmax((3, 32, 0), 10), "im_size must be"),
        (lambda: Softmax(SIZE, 0), "n_classes must be a whole number of at least 1, got 0"),
        (lambda: TwoLayerNN(SIZE, -1, 10), "TwoLayerNN: hidden_dim must be .* got -1"),
        (lambda: TwoLayerNN(SIZE, 1.5, 10), "hidden_dim must be a whole number"),
        (lambda: CNN(SIZE, 4, 4, 10), "CNN: kernel_size must be odd, .* got 4"),
        (lambda: CNN((3, 7, 8), 4, 3, 10), r"multiples of 2, got \(3, 7, 8\)"),
        (lambda: MyModel(SIZE, 4, 2, 10), "MyModel: kernel_size must be odd"),
        (lambda: MyModel((3, 18, 16), 4, 3, 10), "multiples of 4"),
    ],
)
def test_arguments_that_do_not_fit_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("model", models(), ids=lambda model: type(model).__name__)
def test_images_that_do_not_fit_are_named(model):
    name = type(model).__name__
    with pytest.raises(ValueError, match=rf"{name}: images must have shape \(N, 3, 8, 16\), got \(4, 3, 16, 8\)"):
        model(images().transpose(2, 3))
    with pytest.raises(ValueError, match=f"{name}: images must be floating-point numbers, got torch.uint8"):
        model(images().to(torch.uint8))


@pytest.mark.parametrize("last", [nn.Softmax(dim=1), nn.Sequential(nn.Softmax(dim=1), nn.Softmax(dim=1))])
def test_a_softmax_at_the_end_is_noticed(last):
    model = nn.Sequential(Softmax(SIZE, 7), last)
    with pytest.warns(ProbabilitiesNotLogitsWarning, match="sum to one: does it end in a softmax"):
        assert warn_of_probabilities(model, images())


def test_a_step_is_one_step_of_gradient_descent_and_only_of_this_batch():
    model, x, y = Softmax(SIZE, 7).double(), images(dtype=torch.float64), torch.tensor([0, 6, 2, 2])
    optimizer = make_optimizer(model, lr=0.1, momentum=0.9, weight_decay=0.01)
    velocity = [torch.zeros_like(p) for p in model.parameters()]
    for _ in range(3):
        before = [p.detach().clone() for p in model.parameters()]
        loss = F.cross_entropy(model(x), y)
        grads = torch.autograd.grad(loss, list(model.parameters()))
        found = update_step(model, optimizer, x, y)
        assert found.item() == loss.item()
        assert not found.requires_grad
        for k, (p, old, grad) in enumerate(zip(model.parameters(), before, grads, strict=True)):
            velocity[k] = 0.9 * velocity[k] + grad + 0.01 * old
            # Three terms from the same bits, of which each is rounded a few times; nothing is a sum over images.
            largest = abs(old).max().item() + 0.1 * abs(velocity[k]).max().item()
            assert_within(p.detach(), old - 0.1 * velocity[k], apart(8) * largest)


def test_a_step_takes_another_loss():
    model = Softmax(SIZE, 7)
    optimizer = make_optimizer(model, lr=0.1, momentum=0, weight_decay=0)
    found = update_step(
        model, optimizer, images(), torch.zeros(4, dtype=torch.int64), lambda logits, _: logits.sum() * 0 + 3
    )
    assert found.item() == 3


def test_evaluating_puts_the_mode_back():
    model = MyModel(SIZE, 4, 3, 7)
    for training in (True, False):
        model.train(training)
        with evaluating(model):
            assert not model.training
            assert not model(images()).requires_grad
        assert model.training == training
        with pytest.raises(ZeroDivisionError), evaluating(model):
            raise ZeroDivisionError
        assert model.training == training


def test_first_filters():
    assert first_filters(Softmax(SIZE, 7), SIZE).shape == (7, *SIZE)
    assert first_filters(TwoLayerNN(SIZE, 5, 7), SIZE).shape == (5, *SIZE)
    assert first_filters(CNN(SIZE, 5, 3, 7), SIZE).shape == (5, 3, 3, 3)
    with pytest.raises(ValueError, match="Linear has no layer whose weights can be shown as images"):
        first_filters(nn.Linear(3, 4), SIZE)
