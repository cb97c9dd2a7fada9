"""The changes that survive because they change nothing: of each the task, the line before and after, and the reason."""

CHECKED = "the three schemes are the only ones that come here, and among them the comparison has the same result"
ONE_OBJECT = "CPython keeps one object for all constants of this text, so the same text is the same object"
ANY_NEGATIVE = "NumPy takes every negative length for the one that it has to find"
NOT_NEGATIVE = "what ReLU returns is never negative"

REASONS: dict[tuple[str, str, str], str] = {
    ("4", "return 0.0, 2, 0.5", "return 0.0, 2, 1.5"): "with this step, too, f rises: another counterexample",
    ("5b", 'elif scheme == "central":', 'elif scheme <= "central":'): CHECKED,
    ("5b", 'if scheme == "forward":', 'if scheme >= "forward":'): CHECKED,
    ("5b", 'elif scheme == "central":', 'elif scheme is "central":'): ONE_OBJECT,
    ("5b", 'if scheme == "forward":', 'if scheme is "forward":'): ONE_OBJECT,
    (
        "5d",
        "for row, y in zip(jacobian, ys, strict=True):",
        "for row, y in zip(jacobian, ys, strict=False):",
    ): "a row was made for each y, so the lengths are equal",
    (
        "6.1",
        "dhidden = (dscores @ W2.T) * (hidden > 0)",
        "dhidden = (dscores @ W2.T) * (hidden != 0)",
    ): NOT_NEGATIVE,
    ("6.2", "out = x.reshape(len(x), -1) @ w + b", "out = x.reshape(len(x), ~1) @ w + b"): ANY_NEGATIVE,
    ("6.2", "out = x.reshape(len(x), -1) @ w + b", "out = x.reshape(len(x), - 2) @ w + b"): ANY_NEGATIVE,
    ("6.2", "dw = x.reshape(len(x), -1).T @ dout", "dw = x.reshape(len(x), ~1).T @ dout"): ANY_NEGATIVE,
    ("6.2", "dw = x.reshape(len(x), -1).T @ dout", "dw = x.reshape(len(x), - 2).T @ dout"): ANY_NEGATIVE,
    (
        "6.2",
        "x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))",
        "x_padded = np.pad(x, ((0, 1), (0, 0), (pad, pad), (pad, pad)))",
    ): "forward, it makes one image more, which no loop reaches",
}
