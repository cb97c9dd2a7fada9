"""Cases of task 6.1: the two-layer network and two update rules.

The oracle of the network is stored facts, affine maps in another form and the given loss; gradients are finite
differences of these. Of the update rules it is the closed form: how much each gradient so far still counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, CaseFailed, Function, IfRaises, case, parts
from coursework.check.comparison import Comparison, Mistakes, Prediction, compare
from coursework.check.diagnosis import mistake
from cs7643.cases.oracles import Array, affine, rectified
from cs7643.classifiers.toy import toy_data, toy_model
from cs7643.gradient_check import eval_numerical_gradient
from cs7643.losses import softmax_loss

TOY_SCORES = [
    [-0.5328368, 0.20031504, 0.93346689],
    [-0.59412164, 0.15498488, 0.9040914],
    [-0.67658362, 0.08978957, 0.85616275],
    [-0.77092643, 0.01339997, 0.79772637],
    [-0.89110401, -0.08754544, 0.71601312],
]
TOY_LOSS = 1.38191946092  # with reg = 0.1
ROUNDED = 1e-6  # of a loss: a number such as 1e-8 that is added to a probability is not seen
Model = dict[str, Array]

SCORES = "The scores are affine - ReLU - affine: nothing comes after the second affine layer."
LOSS = "averaged over the images, plus 0.5 * reg * (sum of W1^2 + sum of W2^2)"
GRADIENTS = "a dictionary of gradients, with the model's names and shapes"
OVERFLOW = "subtract the largest score of each image before exp"
UNDERFLOW = "the loss of that image is then large, not infinite"

NET = "two_layer_net"
mistake(NET, "ReLU lost", "there is no ReLU between the two affine layers.")
mistake(NET, "ReLU of the scores", "the scores go through a ReLU, too: only the hidden layer has one.")
mistake(NET, "sigmoid hidden units", "the hidden units have a sigmoid or a tanh, and should have a ReLU.")
mistake(NET, "b1 lost", "b1 is not added.")
mistake(NET, "b2 lost", "b2 is not added.")
mistake(NET, "probabilities for scores", "probabilities are returned: without labels the answer is the scores.")
mistake(NET, "sum over the images", "what belongs to the images is summed, and should be averaged: divide by N.")
mistake(
    NET,
    "gradient not averaged",
    "the gradient is N times as large as it should be: divide by N.",
)
mistake(NET, "averaged twice", "the gradient is divided by N twice.")
mistake(NET, "regularisation lost", "the regularisation is not in the loss.")
mistake(
    NET,
    "penalty without its half",
    "the penalty is twice as large as it should be: it is 0.5 reg W^2 in the loss, and reg W in the gradient.",
)
mistake(NET, "one matrix regularised", "the regularisation in the loss has one of W1 and W2, and should have both.")
mistake(NET, "biases in the loss", "the biases are regularised in the loss: only W1 and W2 are.")
mistake(NET, "weights not squared", "the regularisation in the loss has the weights, or their size, not their squares.")
mistake(NET, "loss without logarithm", "the loss is the mean of the probabilities: their logarithm is missing.")
mistake(NET, "logarithm to another base", "the logarithm is not the natural one.")
mistake(NET, "loss negated", "the loss has the wrong sign: it is minus the logarithm.")
mistake(NET, "reg * W lost", "the gradient of the regularisation, reg * W, is missing.")
mistake(NET, "bias gradient keeps an axis", "the gradient of a bias keeps an axis of length 1: sum without keepdims.")
mistake(
    NET, "w not transposed", "the gradient of the hidden units is made with W2 (H, C): the product needs W2.T (C, H)."
)
mistake(NET, "reg * W halved", "the regularisation is halved in the gradient: that of 0.5 reg W^2 is reg W.")
mistake(NET, "reg * W averaged", "the regularisation is divided by N in the gradient: only the data's part is a mean.")
mistake(NET, "reg * W subtracted", "the regularisation is subtracted in the gradient: add reg * W.")
mistake(NET, "biases regularised", "reg * b is added to the gradient of a bias: the biases are not regularised.")
mistake(NET, "mask lost", "the gradient passes hidden units that are off: where the ReLU gave 0, it is 0.")
mistake(NET, "label not subtracted", "the 1 of the label is not subtracted from the probabilities.")
mistake(NET, "gradient reversed", "the gradient has the wrong sign: it is the probabilities minus the label's 1.")
mistake(NET, "dW2 from before the ReLU", "dW2 is made with what comes into the ReLU, and W2 sees what comes out of it.")
mistake(
    NET,
    "one maximum for all images",
    "the largest score of all images is subtracted: a row of much smaller ones is left with exp(...) = 0.",
)
mistake(
    NET,
    "maximum not subtracted",
    "exp overflows for large scores: subtract the largest score of each row first, which changes no probability.",
)
mistake(
    NET,
    "logarithm of an underflowed probability",
    "the logarithm of a probability that was rounded to 0 is taken: write log softmax as shifted score - log(sum).",
)
mistake(NET, "labels ignored", "with y it returns the loss and the gradients, and without y the scores.")
for _rule in ("momentum", "rmsprop"):
    mistake(_rule, "uphill", "the step goes along the gradient, and should go against it.")
    mistake(_rule, "learning rate lost", "the learning rate has no influence on the step.")
mistake("momentum", "momentum fixed at 0.9", "the velocity always keeps 0.9 of itself: it should keep momentum.")
mistake("momentum", "no decay", "the old velocity is kept whole: multiply it by momentum.")
mistake("momentum", "velocity not kept", "the old velocity has no influence: momentum is to keep a part of it.")
mistake("momentum", "average", "the new gradient is weighted with 1 - momentum: it counts in full.")
mistake("momentum", "momentum exchanged", "the velocity keeps 1 - momentum of itself, and should keep momentum.")
mistake("momentum", "learning rate outside", "the velocity lacks the learning rate: here it is the last step itself.")
mistake("momentum", "state not updated", "the velocity that is returned is the old one: return the new velocity.")
mistake("rmsprop", "state not updated", "the mean square that is returned is the old one: return the new one.")
mistake("momentum", "Nesterov", "it looks ahead, as Nesterov's method does: here the step is the new velocity.")
mistake("momentum", "old velocity", "the step is the old velocity, before the gradient has changed it.")
mistake("rmsprop", "decay exchanged", "decay and 1 - decay are exchanged: decay is the part that is kept.")
mistake("rmsprop", "AdaGrad", "all squares count in full, as in AdaGrad: the old mean is multiplied by decay.")
mistake("rmsprop", "1 - decay lost", "the new square counts in full: multiply it by 1 - decay.")
mistake("rmsprop", "not squared", "the gradient is averaged, and its square should be.")
mistake("rmsprop", "nothing kept", "the old mean square has no influence: decay is the part of it that is kept.")
mistake("rmsprop", "eps outside", "eps is added outside the root, and belongs inside: sqrt(mean_square + eps).")
mistake("rmsprop", "root lost", "the gradient is divided by the mean square itself: take the root.")
mistake("rmsprop", "eps lost", "eps has no influence: add the eps that is given to the mean square.")
mistake("rmsprop", "old mean square", "the step uses the old mean square: work out the new one first.")


def _network(rng: Generator, N: int, D: int, H: int, C: int) -> tuple[Array, Model, Array]:
    """Draw images, a network and labels, such that no hidden unit is close to its kink, where gradients jump."""
    shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
    while True:
        X = rng.standard_normal((N, D))
        model = {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}
        if abs(affine(X, model["W1"], model["b1"])).min() > 2e-3:
            return X, model, rng.integers(0, C, N)


def _through(hidden: Array, model: Model) -> Array:
    return affine(hidden, model["W2"], model["b2"])


def _scores(X: Array, model: Model) -> Array:
    return _through(rectified(affine(X, model["W1"], model["b1"])), model)


def _without(model: Model, *names: str) -> Model:
    return {name: np.zeros_like(w) if name in names else w for name, w in model.items()}


def _scores_of(net: Function, X: Array, model: Model) -> Any:
    found = net(X, model)
    if isinstance(found, tuple):
        raise CaseFailed(f"without y it should return the scores, got {len(found)} values", "labels ignored")
    return found


def _compare_scores(found: Any, X: Array, model: Model, tolerance: float, dtype: Any = None) -> Comparison:
    right, inputs = _scores(X, model), affine(X, model["W1"], model["b1"])
    odds = np.exp(right - right.max(axis=1, keepdims=True))
    mistakes: dict[str, Prediction] = {
        "ReLU lost": _through(inputs, model),
        "ReLU of the scores": (rectified(right), rectified(_through(inputs, model))),
        "sigmoid hidden units": (_through(np.tanh(inputs), model), _through((1 + np.tanh(inputs / 2)) / 2, model)),
        "b1 lost": _scores(X, _without(model, "b1")),
        "b2 lost": _scores(X, _without(model, "b2")),
        "probabilities for scores": odds / odds.sum(axis=1, keepdims=True),
    }
    return compare("scores", found, right, tolerance, dtype, mistakes=mistakes)


def _penalty(model: Model, *names: str) -> float:
    return 0.5 * float(sum(np.sum(model[name] ** 2) for name in names))


def _compare_loss(found: Any, X: Array, model: Model, y: Array, reg: float) -> Comparison:
    scores = _scores(X, model)
    data, penalty = softmax_loss(scores, y)[0], reg * _penalty(model, "W1", "W2")
    single = [softmax_loss(scores[n : n + 1], y[n : n + 1])[0] for n in range(len(X))]
    probability = float(np.mean(np.exp(np.negative(single))))
    weights = [float(np.sum(model[name])) for name in ("W1", "W2")]
    sizes = [float(np.sum(abs(model[name]))) for name in ("W1", "W2")]
    mistakes: dict[str, Prediction] = {
        "sum over the images": (data * len(X) + penalty, (data + penalty) * len(X)),
        "averaged twice": data / len(X) + penalty,
        "regularisation lost": data,
        "penalty without its half": data + 2 * penalty,
        "one matrix regularised": tuple(data + reg * _penalty(model, name) for name in ("W1", "W2")),
        "biases in the loss": (
            data + reg * _penalty(model, *model),
            *(data + penalty + reg * _penalty(model, name) for name in ("b1", "b2")),
        ),
        "weights not squared": (data + reg / 2 * sum(weights), data + reg / 2 * sum(sizes), data + reg * sum(sizes)),
        "loss without logarithm": (penalty + probability, penalty - probability),
        "logarithm to another base": (data / np.log(2) + penalty, data / np.log(10) + penalty),
        "loss negated": penalty - data,
        "ReLU lost": softmax_loss(_through(affine(X, model["W1"], model["b1"]), model), y)[0] + penalty,
    }
    return compare("loss", found, data + penalty, ROUNDED, mistakes=mistakes)


def _slope(loss: Callable[[], float], w: Array) -> Array:
    """Differentiate a loss that reads w from where it is."""
    return eval_numerical_gradient(lambda _: loss(), w)


def _compare_gradients(grads: dict[str, Any], X: Array, model: Model, y: Array, reg: float) -> Attempt:
    """Compare all gradients with finite differences of the loss of the oracle."""
    N, rows = len(X), np.arange(len(X))
    inputs = affine(X, model["W1"], model["b1"])
    on = rectified(inputs)

    def data() -> float:
        return softmax_loss(_scores(X, model), y)[0]

    def unlabelled() -> float:
        scores = _scores(X, model)
        return softmax_loss(scores, y)[0] + float(scores[rows, y].mean())

    def unmasked() -> float:  # a hidden unit that is off passes changes on
        return softmax_loss(_through(on + affine(X, model["W1"], model["b1"]) - inputs, model), y)[0]

    for name, w in model.items():
        slope, weighted = _slope(data, w), reg * w if name in ("W1", "W2") else np.zeros_like(w)

        def mistaken(name: str = name, w: Array = w, slope: Array = slope, weighted: Array = weighted) -> Mistakes:
            right = slope + weighted
            mistakes: dict[str, Prediction] = {
                "gradient not averaged": (N * slope + weighted, N * right),
                "averaged twice": slope / N + weighted,
                "reg * W lost": slope,
                "penalty without its half": slope + 2 * weighted,
                "reg * W halved": slope + weighted / 2,
                "reg * W averaged": slope + weighted / N,
                "reg * W subtracted": slope - weighted,
                "label not subtracted": _slope(unlabelled, w) + weighted,
                "gradient reversed": weighted - slope,
            }
            if name in ("b1", "b2"):
                mistakes["biases regularised"] = right + reg * w
                mistakes["bias gradient keeps an axis"] = (right[np.newaxis], right[:, np.newaxis])
            if name in ("W1", "b1"):
                mistakes["mask lost"] = _slope(unmasked, w) + weighted
            if name == "W2":
                dscores = softmax_loss(_scores(X, model), y)[1]
                mistakes["dW2 from before the ReLU"] = right + np.einsum("nh,nc->hc", inputs - on, dscores)
            return mistakes

        yield compare(f'grads["{name}"]', grads.get(name), slope + weighted, 1e-6, mistakes=mistaken)


def _loss_and_grads(net: Function, X: Array, model: Model, y: Array, reg: float = 0.0) -> tuple[Any, Model]:
    found = net(X, model, y, reg)
    if isinstance(found, np.ndarray) and found.shape == (len(X), len(model["b2"])):
        raise CaseFailed("with y it should return (loss, grads), got the scores", "labels ignored")
    loss, grads = parts(found, "loss", "grads")
    if grads is not None and not isinstance(grads, dict):
        raise CaseFailed(f"grads should be a dictionary, got {type(grads).__name__}")
    if grads and not grads.keys() >= model.keys():
        raise CaseFailed(f"grads should have the keys {', '.join(model)}, got {', '.join(map(str, grads))}")
    return loss, grads or {}


def _try_gradients(net: Function, rng: Generator, N: int, D: int, H: int, C: int, reg: float) -> Attempt:
    X, model, y = _network(rng, N, D, H, C)
    yield IfRaises({"w not transposed": rf"size {H} is different from {C}\b|\({N}, ?{C}\) and \({H}, ?{C}\)"})
    _, grads = _loss_and_grads(net, X, model, y, reg)
    yield from _compare_gradients(grads, X, model, y, reg)


@case(NET, "the scores of the toy network", SCORES)
def _case_the_scores_of_the_toy_network(net: Function, _: Generator) -> Attempt:
    X, _y = toy_data()
    found = _scores_of(net, X, toy_model())
    yield _compare_scores(found, X, toy_model(), 1e-7)
    yield compare("scores", found, TOY_SCORES, 1e-7)


@case(NET, "scores of random networks", SCORES)
def _case_scores_of_random_networks(net: Function, rng: Generator) -> Attempt:
    for N, D, H, C in ((1, 4, 3, 1), (4, 3, 6, 5), rng.integers(1, 9, 4)):
        X, model, _ = _network(rng, N, D, H, C)
        yield _compare_scores(_scores_of(net, X, model), X, model, 1e-10)


@case(NET, "the loss of the toy network", LOSS)
def _case_the_loss_of_the_toy_network(net: Function, _: Generator) -> Attempt:
    X, y = toy_data()
    loss, _grads = _loss_and_grads(net, X, toy_model(), y, 0.1)
    yield _compare_loss(loss, X, toy_model(), y, 0.1)
    yield compare("loss", loss, TOY_LOSS, ROUNDED)


@case(NET, "losses of random networks", LOSS)
def _case_losses_of_random_networks(net: Function, rng: Generator) -> Attempt:
    for (N, D, H, C), reg in (((4, 3, 6, 5), 0.0), ((3, 5, 4, 3), 0.6), (rng.integers(2, 9, 4), 0.3)):
        X, model, y = _network(rng, N, D, H, C)
        loss, _ = _loss_and_grads(net, X, model, y, reg)
        yield _compare_loss(loss, X, model, y, reg)


@case(NET, "the gradients, without regularisation", GRADIENTS)
def _case_the_gradients_without_regularisation(net: Function, rng: Generator) -> Attempt:
    yield from _try_gradients(net, rng, N=6, D=5, H=7, C=4, reg=0.0)


@case(NET, "the gradients, with regularisation", GRADIENTS)
def _case_the_gradients_with_regularisation(net: Function, rng: Generator) -> Attempt:
    N, D, H, C = rng.permutation([3, 8, 4, 5])
    yield from _try_gradients(net, rng, N, D, H, C, reg=0.7)


@case(NET, "a single image", GRADIENTS)
def _case_a_single_image(net: Function, rng: Generator) -> Attempt:
    yield from _try_gradients(net, rng, N=1, D=3, H=4, C=5, reg=0.1)


@case(NET, "a single class", GRADIENTS, edge=True)
def _case_a_single_class(net: Function, rng: Generator) -> Attempt:
    yield from _try_gradients(net, rng, N=4, D=3, H=2, C=1, reg=0.3)


def _try_large(net: Function, scores: Array, y: Array, mistake: str, *others: float) -> Attempt:
    """Try a network with these scores, which are not what the usual softmax expects.

    Args:
        net: the function under test.
        scores: (N, C), the scores that the network gives to the images.
        y: (N,), the labels.
        mistake: what makes a number of the loss infinite here, or not a number.
        others: what else that mistake may make of the loss.
    """
    N, C = scores.shape
    model = {"W1": np.eye(N), "b1": np.zeros(N), "W2": scores, "b2": np.zeros(C)}
    loss, grads = _loss_and_grads(net, np.eye(N), model, y)
    right, dscores = softmax_loss(scores, y)
    predicted = {
        mistake: lambda found: not np.isfinite(found).all() or any(abs(found - each) < 1e-3 for each in others)
    }
    yield compare("loss", loss, right, ROUNDED, mistakes=predicted)
    broken = {mistake: lambda found: not np.isfinite(found).all()}
    yield compare('grads["W2"]', grads.get("W2"), dscores, 1e-6, mistakes=broken)


@case(NET, "scores of 1000", OVERFLOW, edge=True)
def _case_scores_of_1000(net: Function, rng: Generator) -> Attempt:
    scores = 1000 + rng.permuted([[0.0, 4.0, 9.0], [5.0, -3.0, 1.0]], axis=1)
    yield from _try_large(net, scores, rng.integers(0, 3, 2), "maximum not subtracted")


@case(NET, "one image with large scores, one with small ones", OVERFLOW, edge=True)
def _case_large_and_small_scores(net: Function, rng: Generator) -> Attempt:
    # exp does not overflow here; minus 600 - 300 = -900 it is 0
    scores = rng.permuted([[300.0, 304.0, 295.0], [-600.0, -605.0, -598.0]], axis=1)
    yield from _try_large(net, scores, rng.integers(0, 3, 2), "one maximum for all images")


@case(NET, "a probability that is rounded to 0", UNDERFLOW, edge=True)
def _case_underflow(net: Function, _: Generator) -> Attempt:
    scores, y = np.array([[0.0, -2000.0, -1.0], [3.0, 2.0, 1.0]]), np.array([1, 0])
    other = float(softmax_loss(scores[1:], y[1:])[0])
    added = [(other - np.log(10.0**-k)) / 2 for k in range(4, 31)]  # log(p + 1e-k)
    yield from _try_large(net, scores, y, "logarithm of an underflowed probability", *added)


@case(NET, "float32 weights", "Arrays are float32 or float64")
def _case_float32(net: Function, _: Generator) -> Attempt:
    X, y = toy_data()
    model = {name: w.astype(np.float32) for name, w in toy_model().items()}
    yield compare("scores", _scores_of(net, X.astype(np.float32), model), TOY_SCORES, 1e-5, dtype=np.float32)
    _, grads = _loss_and_grads(net, X.astype(np.float32), model, y, 0.1)
    double = toy_model()
    for name, w in double.items():
        right = _slope(lambda: softmax_loss(_scores(X, double), y)[0] + 0.1 * _penalty(double, "W1", "W2"), w)
        yield compare(f'grads["{name}"]', grads.get(name), right, 1e-4, dtype=np.float32)


def _weighted(weights: Any, gradients: Array) -> Array:
    """Add up gradients, (t, ...), with their weights, (t,)."""
    total: Array = np.tensordot(weights, gradients, 1)
    return total


def _gradients(rng: Generator) -> Array:
    return rng.standard_normal((7, *rng.integers(2, 6, 2)))


@case("momentum", "steps with changing gradients", "the velocity decays by momentum, and gains -learning_rate * grad")
def _momentum_steps_with_changing_gradients(momentum: Function, rng: Generator) -> Attempt:
    gradients, rate, mu = _gradients(rng), 0.3, float(rng.uniform(0.5, 0.85))
    for t, grad in enumerate(gradients):
        ages = np.arange(t, -1, -1)  # how long ago each gradient was
        old = -rate * _weighted(mu ** (ages[1:]), gradients[:t]) if t else np.zeros_like(grad)
        step, velocity = parts(momentum(grad, old, rate, mu), "step", "velocity")
        right = -rate * _weighted(mu**ages, gradients[: t + 1])
        shared: dict[str, Prediction] = {
            "uphill": (-right, mu * old + rate * grad),
            "no decay": old - rate * grad,
            "momentum fixed at 0.9": 0.9 * old - rate * grad,
            "velocity not kept": -rate * grad,
            "average": mu * old - (1 - mu) * rate * grad,
            "momentum exchanged": (1 - mu) * old - rate * grad,
        }
        of_step: dict[str, Prediction] = {
            "learning rate lost": (right / rate, mu * old - grad),
            "learning rate outside": (-rate * (mu * old + grad), rate * (mu * old - grad)),
            "Nesterov": mu * right - rate * grad,
            "old velocity": old,
        }
        of_velocity: dict[str, Prediction] = {
            "learning rate lost": (mu * old - grad, -mu * old + grad),
            "learning rate outside": (mu * old + grad, mu * old - grad),
            "state not updated": old,
        }
        yield compare("step", step, right, mistakes={**shared, **of_step})
        yield compare("velocity", velocity, right, mistakes={**shared, **of_velocity})


@case("rmsprop", "steps with changing gradients", "The step, which uses the new moving average, and that average")
def _rmsprop_steps_with_changing_gradients(rmsprop: Function, rng: Generator) -> Attempt:
    yield from _rmsprop(rmsprop, rng, decay=0.9, eps=1e-8)


@case("rmsprop", "a large eps, a small decay", "It is added INSIDE the root: sqrt(mean_square + eps)")
def _rmsprop_a_large_eps_a_small_decay(rmsprop: Function, rng: Generator) -> Attempt:
    yield from _rmsprop(rmsprop, rng, decay=0.3, eps=0.5)


def _rmsprop(rmsprop: Function, rng: Generator, decay: float, eps: float) -> Attempt:
    gradients, rate = _gradients(rng), 0.05
    for t, grad in enumerate(gradients):
        ages = np.arange(t, -1, -1)
        weights = (1 - decay) * decay**ages
        right = _weighted(weights, gradients[: t + 1] ** 2)
        old = (right - (1 - decay) * grad**2) / decay
        step, mean_square = parts(rmsprop(grad, old, rate, decay, eps), "step", "mean_square")
        means: dict[str, tuple[Array, ...]] = {
            "decay exchanged": ((1 - decay) * old + decay * grad**2,),
            "AdaGrad": (old + grad**2, old + (1 - decay) * grad**2),
            "1 - decay lost": (decay * old + grad**2,),
            "not squared": (decay * old + (1 - decay) * grad,),
            "nothing kept": ((1 - decay) * grad**2, grad**2),
        }
        of_mean: dict[str, Prediction] = {**means, "state not updated": old}
        yield compare("mean_square", mean_square, right, mistakes=of_mean)
        taken = -rate * grad / np.sqrt(right + eps)
        steps: dict[str, Prediction] = {
            **{name: tuple(-rate * grad / np.sqrt(mean + eps) for mean in several) for name, several in means.items()},
            "eps outside": -rate * grad / (np.sqrt(right) + eps),
            "root lost": (-rate * grad / (right + eps), -rate * grad / right),
            "eps lost": -rate * grad / np.sqrt(right),
            "old mean square": -rate * grad / np.sqrt(old + eps),
            "learning rate lost": taken / rate,
            "uphill": -taken,
        }
        yield compare("step", step, taken, mistakes=steps)
