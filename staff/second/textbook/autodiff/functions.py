"""The two functions, one operation a line; exp, sin and sigmoid are those of the homework's own file."""


def f1(w1, w2):
    a = exp(w1)
    b = exp(2 * w2)
    c = a + b
    d = exp(c)
    e = sin(c)
    return d + e


def f1_as_typeset(w1, w2):
    a = exp(w1)
    b = exp(2 * w2)
    c = exp(w1 + b)
    d = sin(a + b)
    return c + d


def f2(w1, w2):
    a = w1 * w2
    b = exp(-w1)
    s = 1 / (1 + b)
    return a + s
