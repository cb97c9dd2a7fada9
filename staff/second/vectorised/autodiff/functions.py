"""Task 5a, as sums over the two terms."""

from cs7643.autodiff.primitives import exp, sigmoid, sin


def f1(w1, w2):
    # the same thing goes into the exponential and into the sine
    return sum(g(exp(w1) + exp(2 * w2)) for g in (exp, sin))


def f1_as_typeset(w1, w2):
    return sum(g(x + exp(2 * w2)) for g, x in zip((exp, sin), (w1, exp(w1))))


def f2(w1, w2):
    return sum([w1 * w2, sigmoid(w1)])
