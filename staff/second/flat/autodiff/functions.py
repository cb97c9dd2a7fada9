"""The two functions in one line each; exp and sin are those of the homework's own file."""


def f1(w1, w2):
    return (lambda a: exp(a) + sin(a))(exp(w1) + exp(w2 + w2))


def f1_as_typeset(w1, w2):
    b = exp(w2) * exp(w2)
    return exp(w1 + b) + sin(exp(w1) + b)


def f2(w1, w2):
    return w2 * w1 + (1.0 + exp(-w1)) ** -1.0
