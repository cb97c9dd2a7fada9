"""Plausible wrong solutions, one small edit each, and the case of the checks that notices."""

from __future__ import annotations

from cs7643 import descent, layers, optim
from cs7643.autodiff import forward, functions, numerical, reverse
from cs7643.classifiers import two_layer_net

# Each: the module and function, the text to replace in its source, the replacement, and the case that should notice.
MISTAKES = {
    "the norm is differentiated instead of its square": (
        (descent, "proximal_step"),
        ("w - grad / lam", "w - grad / np.linalg.norm(grad) / lam"),
        "the minimiser that SciPy finds, in 1 to 6 dimensions",
    ),
    "one half is forgotten in the derivative of the square": (
        (descent, "proximal_step"),
        ("grad / lam", "grad / (2 * lam)"),
        "numbers by hand: w = (1, 2), grad = (4, -8), lam = 4",
    ),
    "proximal_step goes uphill": (
        (descent, "proximal_step"),
        ("w - grad", "w + grad"),
        "the minimiser that SciPy finds, in 1 to 6 dimensions",
    ),
    "eta grows with lambda": (
        (descent, "step_size"),
        ("return 1 / lam", "return lam"),
        "gradient descent with this step reaches the minimum of eq. (3)",
    ),
    "follow starts after the first step": (
        (descent, "follow"),
        ("np.zeros((1, v.shape[1])), -eta * np.cumsum(v, axis=0)", "-eta * np.cumsum(v, axis=0), -eta * v[:1]"),
        "random vectors, and T + 1 points that begin at zero",
    ),
    "follow normalises the vectors": (
        (descent, "follow"),
        ("np.cumsum(v, axis=0)", "np.cumsum(v / np.linalg.norm(v, axis=1, keepdims=True), axis=0)"),
        "huge and tiny vectors",
    ),
    "regret pairs w(t+1) with v(t)": ((descent, "regret"), ("iterates[:-1]", "iterates[1:]"), "the telescoped sum"),
    "regret forgets w*": ((descent, "regret"), ("(iterates[:-1] - w_star)", "iterates[:-1]"), "the telescoped sum"),
    "the bound has a norm without its square": (
        (descent, "regret_bound"),
        ("np.sum(w_star**2)", "np.sqrt(np.sum(w_star**2))"),
        "numbers by hand",
    ),
    "the bound drops the second term": (
        (descent, "regret_bound"),
        (" + eta / 2 * np.sum(v**2)", ""),
        "equals the regret where w* = w(T+1)",
    ),
    "every gradient is taken at w1": (
        (descent, "gradient_descent"),
        ("gradient(iterates[t])", "gradient(w1)"),
        "a quadratic, in closed form",
    ),
    "the gradient is computed twice": (
        (descent, "gradient_descent"),
        ("eta * gradient(iterates[t])", "eta / 2 * (gradient(iterates[t]) + gradient(iterates[t]))"),
        "asks for one gradient a step",
    ),
    "the step size falls as 1 / T": (
        (descent, "rate_step_size"),
        ("np.sqrt(T)", "T"),
        "the step size that makes the bound smallest",
    ),
    "the bound is twice too large": ((descent, "rate_bound"), ("B * rho", "2 * B * rho"), "the smallest bound"),
    "the terms are exchanged": ((descent, "sgd_step"), ("2.0, -1.0", "-1.0, 2.0"), "against the slope of each term"),
    "the whole gradient is taken": (
        (descent, "sgd_step"),
        ("(w - np.where(np.equal(term, 1), 2.0, -1.0))", "(2 * w - 1)"),
        "against the slope of each term",
    ),
    "the counterexample descends": (
        (descent, "sgd_counterexample"),
        ("return 0.0, 2, 0.5", "return 3.0, 2, 0.5"),
        "the sampled term falls, and f rises",
    ),
    "the counterexample overshoots its own term": (
        (descent, "sgd_counterexample"),
        ("return 0.0, 2, 0.5", "return 0.0, 2, 2.5"),
        "the sampled term falls, and f rises",
    ),
    "f1 is read as typeset": (
        (functions, "f1"),
        ("return exp(inner)", "return exp(w1 + exp(2.0 * w2))"),
        "the values at three points",
    ),
    "the sine of f1 has lost its exponential": (
        (functions, "f1"),
        ("sin(inner)", "sin(w1 + exp(2.0 * w2))"),
        "the values at three points",
    ),
    "f1 takes numbers only": ((functions, "f1"), ("exp(w1)", "exp(float(w1))"), "arrays"),
    "f2 has the sigmoid of the other number": (
        (functions, "f2"),
        ("sigmoid(w1)", "sigmoid(w2)"),
        "the values at three points",
    ),
    "the central difference is divided by delta": (
        (numerical, "numerical_jacobian"),
        ("(2 * delta)", "delta"),
        "central differences",
    ),
    "the forward difference looks back": (
        (numerical, "numerical_jacobian"),
        ("(outputs(f(w + step)) - outputs(f(w)))", "(outputs(f(w)) - outputs(f(w - step)))"),
        "forward differences",
    ),
    "the numerical Jacobian is transposed": (
        (numerical, "numerical_jacobian"),
        ("np.stack(columns, axis=1)", "np.stack(columns, axis=0)"),
        "one output, and more outputs than inputs",
    ),
    "a dual number keeps the last contribution only": (
        (forward, "Dual.apply"),
        ("total = change if total is None else total + change", "total = change"),
        "sums, products, quotients",
    ),
    "a dual number forgets its own tangent": (
        (forward, "Dual.apply"),
        ("rule(tangent, result", "rule(1.0, result"),
        "functions of one number",
    ),
    "the forward Jacobian is transposed": (
        (forward, "forward_jacobian"),
        ("np.stack(columns, axis=1)", "np.stack(columns, axis=0)"),
        "several numbers of inputs and outputs",
    ),
    "an adjoint is replaced instead of added to": (
        (reverse, "Tape.sweep"),
        ("contribution if before is None else before + contribution", "contribution"),
        "the same number several times",
    ),
    "the adjoint above is forgotten": (
        (reverse, "Tape.sweep"),
        ("rule(adjoint, result", "rule(1.0, result"),
        "numbers by hand: (x + y) (y + 1) at (2, 3)",
    ),
    "the backward Jacobian sums its rows": (
        (reverse, "backward_jacobian"),
        ("row[:] = x.adjoint", "jacobian += x.adjoint"),
        "known Jacobians",
    ),
    "pool backward assigns instead of adding": (
        (layers, "max_pool_backward_naive"),
        ("left + column] += dout", "left + column] = dout"),
        "overlapping windows",
    ),
    "pool backward gives every tied maximum the whole gradient": (
        (layers, "max_pool_backward_naive"),
        (
            "        row, column = np.unravel_index(np.argmax(window), window.shape)\n"
            "        dx[n, c, top + row, left + column] += dout[n, c, i, j]",
            "        spot = dx[n, c, top : top + height, left : left + width]\n"
            "        spot += dout[n, c, i, j] * (window == window.max())",
        ),
        "ties, as after a ReLU",
    ),
    "pool uses pool_height for the width": (
        (layers, "max_pool_forward_naive"),
        ("left : left + width", "left : left + height"),
        "a 2x4 window on 6x9 images",
    ),
    "pool backward uses pool_height for the width": (
        (layers, "max_pool_backward_naive"),
        ("left : left + width", "left : left + height"),
        "a 2x4 window on 6x9 images",
    ),
    "conv backward ignores the stride": (
        (layers, "conv_backward_naive"),
        ("top, left = i * stride, j * stride", "top, left = i, j"),
        "stride 2 and 3, with rows left over",
    ),
    "conv backward crops with [p:-p]": (
        (layers, "conv_backward_naive"),
        ("pad : pad + H, pad : pad + W", "pad:-pad, pad:-pad"),
        "no padding",
    ),
    "conv forward uses the kernel's height for its width": (
        (layers, "conv_forward_naive"),
        ("left : left + WW", "left : left + HH"),
        "a 3x5 kernel on 7x8 images",
    ),
    "relu_backward changes dout in place": (
        (layers, "relu_backward"),
        ("dx: Array = dout * (x > 0)", "dx = dout\n    dx[x <= 0] = 0"),
        "random upstream gradients",
    ),
    "softmax without subtracting the maximum": (
        (two_layer_net, "two_layer_net"),
        ("scores - scores.max(axis=1, keepdims=True)", "scores"),
        "scores of 1000",
    ),
    "affine_forward flattens the wrong way": (
        (layers, "affine_forward"),
        ("x.reshape(len(x), -1)", "x.reshape(len(x), -1, order='F')"),
        "images of other shapes, and the cache",
    ),
    "affine_backward forgets x's shape": (
        (layers, "affine_backward"),
        (".reshape(x.shape)", ""),
        "random images and upstream gradients",
    ),
    "relu_backward at zero": ((layers, "relu_backward"), ("x > 0", "x >= 0"), "the gradient at exactly zero"),
    "momentum forgets to decay": (
        (optim, "momentum"),
        ("momentum * velocity", "velocity"),
        "steps with changing gradients",
    ),
    "rmsprop adds eps outside the root": (
        (optim, "rmsprop"),
        ("np.sqrt(mean_square + eps)", "(np.sqrt(mean_square) + eps)"),
        "a large eps",
    ),
    "the loss is summed over the images": (
        (two_layer_net, "two_layer_net"),
        ("[rows, y].mean()", "[rows, y].sum()"),
        "the loss of the toy network",
    ),
    "the gradient forgets the regularisation": (
        (two_layer_net, "two_layer_net"),
        ("X.T @ dhidden + reg * W1", "X.T @ dhidden"),
        "the gradients, with regularisation",
    ),
    "the biases are regularised": (
        (two_layer_net, "two_layer_net"),
        ("dscores.sum(axis=0)", "dscores.sum(axis=0) + reg * b2"),
        "the gradients, with regularisation",
    ),
}
