"""How far apart two numbers may be that should be equal: every bound that a test uses, and why it is what it is.

A rounded operation is off by at most one part in 2^53 (float64) or 2^24 (float32), whatever the processor; processors
differ in the order of sums, in what they round once or twice, and in the last digits of exp and its like. So a bound
counts roundings and multiplies them with the magnitudes that are rounded. The rules are those of Higham, Accuracy and
Stability of Numerical Algorithms, chapter 3. No number here was found by trying.
"""

from __future__ import annotations

import numpy as np

EPS = float(np.finfo(np.float64).eps)  # 2^-52, the distance from 1 to the next float64: twice the largest error

# Whoever draws the same random numbers on every machine needs no margin. Whoever compares a mean of them with its
# expectation does: five standard errors are passed by chance once in 1.7 million.
STANDARD_ERRORS = 5

# The solvers behind PEPit stop at a relative gap of 1e-4 or less.
SEMIDEFINITE = 1e-4

# SciPy's linear programs hold their constraints to 1e-7, and trust-exact stops at a gradient of 1e-12 at the latest.
# A minimiser is known so well for each unit of its size, and the mixture of the slopes around it so well, too.
LINEAR_PROGRAM = 1e-6


def gamma(n: float, dtype: type = np.float64) -> float:
    """Bound the relative error of n roundings in a row, or of a sum of n + 1 terms in any order.

    Times the sum of the magnitudes of the terms, it bounds the absolute error of a sum.
    """
    u = float(np.finfo(dtype).eps) / 2
    return n * u / (1 - n * u)


def apart(n: float, dtype: type = np.float64) -> float:
    """Bound the relative difference of two results that are each n roundings off."""
    return 2 * gamma(n, dtype)


def elementary(n: float = 1, dtype: type = np.float64) -> float:
    """Bound the relative difference of two results of n operations each, exp, log, sin and their like among them.

    NumPy promises 4 units in the last place for these, which are 8 roundings; PyTorch and the C libraries are better.
    """
    return apart(8 * n, dtype)


def conditioned(condition: float, n: float = 1) -> float:
    """Bound the relative difference of two results where an error in between grows by a condition number.

    That of exp at u is u, for example: exp(u + e) = exp(u) (1 + e), and e is u times the relative error of u.
    """
    return elementary(n) * (1 + condition)


def difference(value: float, h: float, n: float = 4, third: float = 0.0) -> float:
    """Bound the error of a central difference (f(x + h) - f(x - h)) / 2h, or of a forward one without truncation.

    Args:
        value: the largest magnitude of f, and of whatever it adds up; x times the slope counts, as x + h is rounded.
        h: the step.
        n: the operations in f.
        third: a bound on the third derivative; truncation is h^2 / 6 times that.
    """
    return elementary(n) * value / h + h**2 / 6 * third


def stored(digits: int) -> float:
    """Bound the error of a fact that is written down with so many decimals: half a unit in the last of them."""
    return 0.5 * 10.0**-digits


def assert_within(found, expected, bound, name=""):
    """Assert that two arrays have one shape and differ by at most ``bound``, a number or an array."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape, f"{name} has shape {found.shape}, should have {expected.shape}"
    excess = np.abs(found - expected) - bound
    assert np.all((excess <= 0) | (found == expected)), (  # the latter for infinities
        f"{name} is off by {np.max(np.abs(found - expected)):.3g}, of which {np.max(excess):.3g} is too much"
    )


def layer(x, w, b, dout, dtype=np.float64):
    """Bound the differences of a layer that multiplies and adds: of its output, dx, dw and db, in turn.

    For an affine layer or a convolution, also where a ReLU or a pooling follows, which add nothing and move numbers
    about. Each result is a sum of products; at worst every element of w (of one output), or of dout, takes part.
    """
    large_x, large_w, large_b = (np.abs(array).max(initial=0) for array in (x, w, b))
    terms, total = w.size + 1, np.abs(dout).sum()
    return [
        apart(terms + 1, dtype) * (terms * large_x * large_w + large_b),
        apart(dout.size + 1, dtype) * total * large_w,
        apart(dout.size + 1, dtype) * total * large_x,
        apart(dout.size + 1, dtype) * total,
    ]


def cross_entropy(scores_off: float, scores: float, num_images: int, dtype: type = np.float64) -> tuple[float, float]:
    """Bound the differences of a cross-entropy and of an element of its gradient.

    The loss moves by at most twice as much as a score, a probability by half of that; then come log, exp, and a mean.

    Args:
        scores_off: how far apart the scores are that the two start from.
        scores: the largest magnitude of a score.
        num_images: of the mean.
        dtype: of the computation.
    """
    rounding = elementary(4, dtype) + apart(num_images, dtype)
    loss = 2 * scores_off + rounding * (1 + 2 * scores)
    return loss, (2 * scores_off + rounding * (1 + 2 * scores)) / num_images


def network(X, model, scores, reg=0.0, positions=1, dtype=np.float64):
    """Bound the differences of a network of one or two layers: of its scores, its loss, and every gradient.

    Args:
        X: the images.
        model: W1, b1, W2, b2; or W1, b1 alone, for a network without a hidden layer. W1 is (D, H), or filters.
        scores: those of the network for abs(X) and the absolute values of the model.
        reg: the strength of the penalty.
        positions: at how many places of an image W1 is used: 1 for an affine layer.
        dtype: of the computation.
    """
    large = {name: float(np.abs(array).max(initial=0)) for name, array in model.items()}
    inputs, classes = float(np.abs(X).max()), scores.shape[1]
    fan_in = model["W1"].size // len(model["b1"])
    terms = fan_in + 1 + (len(model["W2"]) + 1 if "W2" in model else 0)
    off = apart(terms, dtype) * float(scores.max())
    loss, slope = cross_entropy(off, float(scores.max()), len(X), dtype)
    # A gradient is a sum over images, classes and positions of slope times weight times input. The slopes of an image
    # add up to no more than 2 / N in magnitude, and each of them is off by ``slope``.
    hidden = fan_in * inputs * large["W1"] + large["b1"]
    amounts = (positions * large["W2"] * max(1.0, inputs), hidden, 1.0) if "W2" in model else (inputs, 1.0)
    summed = len(X) * classes * positions
    gradient = max(amounts) * (len(X) * classes * slope + 2 * apart(terms + summed, dtype))
    penalty = 0.5 * reg * sum(float((array.astype(np.float64) ** 2).sum()) for array in model.values())
    sizes = sum(array.size for array in model.values())
    return off, loss + apart(sizes, dtype) * penalty, gradient + apart(2, dtype) * reg * max(large.values())


def grown(results, scale: float = 2.0**-30) -> float:
    """Bound the difference of two runs of a program that amplifies its rounding by an amount that nobody knows.

    So it is measured: each of ``results`` is the result of the program where every step had a relative error of
    ``scale`` and a random sign; the first is without. What that changes is a typical error, and ten times as much is an
    unlikely one. In truth a step is off by the bound of two operations, and its slope by 101 times as much: 1 - tanh^2
    is a difference, and for numbers up to 3, beyond which no program here goes, 1 / 101 is what it leaves.

    Args:
        results: arrays of one shape.
        scale: the relative error that was made.
    """
    exact, *noisy = (np.asarray(result, np.float64) for result in results)
    amplified = max(float(np.abs(result - exact).max(initial=0)) for result in noisy) / scale
    return conditioned(101, 2) * (10 * amplified + float(np.abs(exact).max(initial=0)))


def training(found, moved, steps: int, terms: int, scale: float = 2.0**-30) -> float:
    """Bound the difference between the weights of two training runs, in float64, that do the same in another order.

    A rounding in one step grows or shrinks in all that follow. By how much is measured, as in :func:`grown`.

    Args:
        found: the weights at the end, by name.
        moved: those of a run whose initial weights had relative errors of ``scale`` with random signs.
        steps: how many steps; each is rounded anew.
        terms: more than any sum in a step has.
        scale: the relative error that was made.
    """
    amplified = max(float(np.abs(found[name] - moved[name]).max()) for name in found) / scale
    return 10 * steps * apart(terms) * amplified
