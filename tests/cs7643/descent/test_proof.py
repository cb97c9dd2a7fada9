"""Proofs that answer: which chains are accepted, and what a wrong turn, or a slip of the pen, gets for an answer."""

from __future__ import annotations

import contextlib
import itertools
import json
from fractions import Fraction

import pytest
from chains import RIGHT, WRONG
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.root import ROOT
from cs7643.theory.claims import CLAIMS, equal
from cs7643.theory.flawed import FLAWED, flaw
from cs7643.theory.instances import PROBLEMS, instances
from cs7643.theory.notation import expression, read
from cs7643.theory.proof import SIEVE, prove
from cs7643.theory.trial import counterexample
from cs7643.theory.values import TINY, Evaluation, World, root

LEFT, BOUND = str(CLAIMS["2"]).split(" <= ")
SAID = {
    "the norm for its square": "f(x) = 0, w = 1, z = -1, lam = 1",
    "minus mu^2 for plus mu^2": "f(x) = x, w = 0, z = 0, lam = 1, grad(w) = 1",
    "plus mu grad f": "f(x) = x, w = 0, z = 1, lam = 1",
    "the second term dropped": "T = 1, eta = 1, w_star = 0, w[1] = 0, w[2] = -1, v[1] = 1",
    "w* written for w(t)": "T = 1, eta = 1, w_star = 1, w[1] = 0, w[2] = 0, v[1] = 0",
    "w* replaced by w(t+1)": "T = 1, eta = 1, w_star = 2, w[1] = 0, w[2] = 1, v[1] = -1",
    "D_T for D_{T+1}": "T = 1, eta = 1, w_star = 0, w[1] = 0, w[2] = -1, v[1] = 1",
    "the tangent as an equality": "T = 1, eta = 1, w_star = 1, w[1] = 0, w[2] = 1",
    "f of a mean as the mean of f": "f(x) = |x - 1|, T = 2, eta = 2, w_star = 1",
    "telescoping f": "f(x) = max(-1, x1, x2), T = 2, eta = 1, w_star = (-1, -1)",
    "the last point for the average": "7/25*(x1 + 1) + 24/25*|x2|), T = 1, eta = 1, rho = 1, B = 1",
    "a step that always descends": "f(x) = |x - 1|, T = 2, eta = 1, w[1] = 0, w[2] = 1, w[3] = 0",
    "from w(0) on": "w[t-1] = w[0] is not one of w[1], ..., w[T+1]",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_proof_of_another_kind_is_accepted(name):
    found = prove(*RIGHT[name])
    assert found.accepted, str(found)
    assert found.refuted == 0
    assert SIEVE in found.text.replace("\n", " ")
    assert prove(*RIGHT[name]) == found


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_turn_gets_a_counterexample(name):
    problem, chain, line = WRONG[name]
    found = prove(problem, chain)
    assert (found.accepted, found.refuted) == (False, line)
    assert f"Line {line} " in found.text
    assert SAID[name] in found.text.replace("\n", " ")
    assert all(len(row) <= 110 for row in found.text.split("\n"))
    assert prove(problem, chain) == found


def test_a_chain_that_is_true_and_stalls_leads_nowhere():
    stalls = "-eta*sum(dot(sum(v[s] for s in 1..t-1), v[t]) for t in 1..T) - sum(dot(w_star, v[t]) for t in 1..T)"
    found = prove("2", f"w[t] = -eta*sum(v[s] for s in 1..t-1)  # unrolled\n {LEFT} = {stalls}  # line 1")
    assert (found.accepted, found.refuted) == (False, 0)
    said = found.text.replace("\n", " ")
    assert "leads nowhere yet: the chain begins at the left side of the claim, and line 2 stops at" in said
    assert f"{stalls}, which is not yet {BOUND}" in said


@pytest.mark.parametrize(
    ("problem", "chain", "said"),
    [
        ("2", f"{LEFT} <= {BOUND}  # (4)", "Line 1 is the claim itself"),
        (
            "2",
            f"2*eta*({LEFT}) - norm(w_star)^2 <= eta^2*sum(norm(v[t])^2 for t in 1..T)  # (4)",
            "or a multiple of it",
        ),
        ("1", "let eta = 1/lam\nmodel(z) >= model(w - eta*grad(w))  # minimal", "Line 1 is the claim itself"),
        ("2", f"{BOUND} >= {LEFT} - 1 # so\n >= {LEFT} - 2  # so", "begins at the right side"),
        ("2", f"{LEFT} <= {BOUND} + 1 # a\n >= {LEFT}  # b", "one line goes up and another goes down"),
        ("1", "let eta = 1/lam\nmodel(z) >= model(w - grad(w)/lam)  # so", "which is not yet model(w - eta*grad(w))"),
        ("3", "f(w_star) <= f(w_bar)  # a minimiser", "no chain begins at one side of the claim"),
        ("1", "model(z) >= f(w) - norm(grad(w))^2/lam  # small", "which eta belongs to lam?"),
        ("1", "let eta = 1/lam\n f(w) = f(w) + 0  # zero", "no chain begins"),
    ],
)
def test_lines_that_hold_and_are_no_proof(problem, chain, said):
    found = prove(problem, chain)
    assert (found.accepted, found.refuted) == (False, 0), str(found)
    assert said in found.text.replace("\n", " ")


def test_a_step_that_goes_the_whole_way_is_pointed_out():
    found = prove(
        "3", "f(w_bar) - f(w_star) <= B^2/(2*eta*T) + eta*rho^2/2  # all of it\n = B*rho/sqrt(T)  # eta put in"
    )
    assert found.accepted
    assert "Line 1 does so in a single step, so much depends on its reason." in found.text.replace("\n", " ")
    assert "single step" not in prove(*RIGHT["3, from right to left"]).text


def test_every_line_has_a_reason():
    problem, chain = RIGHT["2, from the gap"]
    silent = chain.replace("# a square", "")
    assert "a reason is missing in line 2" in prove(problem, silent).text.replace("\n", " ")
    assert not prove(problem, silent).accepted


def test_the_claim_may_be_written_below_its_proof():
    problem, chain = RIGHT["2, from the gap"]
    assert prove(problem, f"{chain}\n{LEFT} <= {BOUND}  # lines 1 and 2").accepted


def test_what_no_instance_refutes_a_search_does():
    definitions, (line,) = read("norm(z) <= 5.5")
    for each in instances("1"):
        assert Evaluation(each.world, definitions).value(line.left, {}) <= 5.5
    found = counterexample("1", definitions, line, 1)
    assert found
    assert found.values[0] > 5.5


def test_a_blank_is_told_what_to_show_and_others_are_errors():
    def blank():
        raise NotImplementedError("Task 2: chain")

    def broken():
        raise NotImplementedError("something else")

    for empty in (blank, "", "  \n"):
        found = prove("2", empty)
        assert (found.accepted, found.refuted) == (False, 0)
        assert found.text.startswith("No chain yet: it is yours to write, in this cell. It carries no points;")
        assert found.text.endswith(f"\nTo show: {LEFT} <= {BOUND}")
    assert prove("2", lambda: RIGHT["2, from the gap"][1]).accepted
    with pytest.raises(NotImplementedError, match="something else"):
        prove("2", broken)


@pytest.mark.parametrize(
    ("problem", "chain", "said"),
    [
        ("5", "1 = 1", "problem must be one of 1, 2, 3, got '5'"),
        ("2", 3, "expected the chain as a text, got int"),
        ("2", "# only words", r"expected lines such as: norm\(w\[t\]\)\^2 >= 0  # a square; got none"),
        ("1", "let eta = 1/lam  # the step", r"a square; got only let eta = \.\.\."),
        ("2", "eta => 0", "got = >: eta => 0; the relations are written >= and <="),
        ("2", "norm(w[t])", r"line 1: expected a relation, =, <= or >=, got none: norm\(w\[t\]\)"),
        ("2", "norm(w[t])\nnorm(v[t])\n >= 0", r"line 1: expected a relation, .*, after norm\(w\[t\]\), got: norm\(v"),
        ("2", "norm(w[t])\nnorm(v[t]) >= 0", r"line 1: expected a relation, .*, after norm\(w\[t\]\), got: norm\(v"),
        ("2", "1e400 >= 0", "line 1: expected numbers below 1e9, got 1e400"),
        ("2", "1 = 1\n1 < 2", "line 2: expected one relation, =, <= or >=, got <: 1 < 2"),
        ("2", "1 <= 2 <= 3", "line 1: expected one relation, =, <= or >=, got <= <="),
        ("2", "<= 2", "line 1: the first line needs a left side, got: <= 2"),
        (
            "2",
            "2 eta >= 0",
            r"line 1: expected an expression such as eta/2\*norm\(w_star\)\^2, got '2 eta'; a product needs",
        ),
        ("1", "model(z) >= lambda/2", r"got 'lambda/2'; lambda is written lam"),
        ("1", "model(z) >= f(w", r"'\(' was never closed"),
        ("2", "eta >= ", r"line 1: expected an expression such as eta/2\*norm\(w_star\)\^2, got nothing"),
        ("2", "||w[t]||^2 = 1", r"line 1: expected an expression .*; a norm is written norm\(x\)"),
        ("2", "<w[t], v[t]> = 1", r"line 1: expected one relation.*; an inner product is written dot\(x, y\)"),
        ("2", "norm(w*)^2 = 1", "line 1: expected an expression .*; the point w. is written w_star"),
        ("2", "norm(w* - w[t])^2 = 1", r"line 1: w needs an index, as in w\[t\]; the point w. is written w_star"),
        ("2", "sum(v[t], t=1..T) = 0", r"line 1: expected one relation.*; a sum is written sum\(... for t in 1..T\)"),
        ("2", "w(t) = 0", r"line 1: expected w\[...\], got w\(t\)"),
        ("1", "w[t] = w", r"line 1: expected w without an index, got w\[t\]"),
        ("2", "D[t] = norm(w[t])^2", r"line 1: expected w\[t\], v\[t\], or a line let D\[t\] = ..., got D\[t\]"),
        ("2", "(((((eta^8)^8)^8)^8)^8)^8 >= 0", "line 1: expected the power of a smaller number"),
        ("2", "dot(w[t], v[t] = 1", "line 1: expected an expression"),
        (
            "2",
            "wstar = 1",
            "line 1: wstar is no symbol here: expected T, eta, w_star, .*; or define it: let wstar = ...",
        ),
        ("2", "f(w[t]) >= 0", "line 1: f is no function here: expected"),
        ("2", "w >= 0", r"line 1: w needs an index, as in w\[t\]"),
        ("2", "norm >= 0", r"line 1: norm is a function: expected norm\(...\), got norm alone"),
        ("2", "w[t] + 1 = 0", r"line 1: expected two numbers or two vectors, got one of each: w\[t\] \+ 1"),
        ("2", "w[t] <= 0", r"line 1: expected = between vectors, got <=: w\[t\] <= 0"),
        ("2", "w[t] = 1", r"line 1: expected two numbers or two vectors, got one of each: w\[t\] = 1"),
        ("2", "w[t]*v[t] = 1", r"line 1: expected dot\(x, y\) for the product of two vectors, got w\[t\]\*v\[t\]"),
        ("2", "w[t]^2 = 1", r"line 1: expected norm\(x\)\^2 for the square of a vector"),
        ("2", "1/w[t] = 1", r"line 1: expected a number below the line, got the vector w\[t\]"),
        ("2", "eta^(1/2) = 1", r"line 1: expected a power from -4 to 8, or sqrt\(...\)"),
        ("2", "eta^99999999 = 1", "line 1: expected a power"),
        ("2", "dot(w[t]) = 1", r"line 1: dot takes 2 arguments, got dot\(w\[t\]\)"),
        ("2", "dot(eta, w[t]) = 1", "line 1: expected a vector, got the number eta"),
        ("2", "sum(v[t]) = 1", r"line 1: expected sum\(... for t in 1..T\), got sum\(v\[t\]\)"),
        ("2", "sum(v[t], t, 1, T) = 1", r"line 1: expected sum\(... for t in 1..T\), got sum\(v\[t\], t, 1, T\)"),
        ("2", "w_{t+1} = w_star", r"line 1: expected an expression .*; an index is written w\[t\+1\]"),
        ("2", "sum(eta for t in T) = 1", "line 1: expected a range such as 1..T, got T"),
        ("2", "sum(eta for eta in 1..T) = 1", "line 1: expected a letter for the index, such as t or s, got eta"),
        ("2", "sum(eta for t in 1..10^6) = 1", "line 1: expected a range such as 1..T"),
        ("2", "eta[t] = 1", r"line 1: expected eta without an index, got eta\[t\]"),
        ("2", "let w[t] = v[t]\n1 = 1", "let w: w has a meaning already; expected another name"),
        ("2", "let eta = 1\n1 = 1", "let eta: eta has a meaning already"),
        (
            "2",
            "let D[t] = D[t-1]\nD[t] = 1",
            r"line 1: expected w\[t\], v\[t\], or a line let D\[t\] = ..., got D\[t-1\]",
        ),
        ("1", "let eta = 1/norm(z)\nlam = lam", "let eta: expected a formula in lam alone, got one with norm, z"),
        ("2", "__import__('os').system('ls') = 1", r"line 1: __import__\('os'\).system is no function here"),
        ("2", "(lambda: 1)() = 1", r"line 1: lambda: 1 is no function here|expected one relation"),
        ("2", "w.__class__ = 1", "line 1: expected symbols, numbers"),
        ("2", "'eta' = 1", "line 1: expected symbols, numbers"),
        ("2", "[eta for eta in 1..T] = 1", "line 1: expected symbols, numbers"),
        ("2", "True = 1", "line 1: expected symbols, numbers"),
        ("2", "(" * 400 + "1" + ")" * 400 + " = 1", "line 1: expected"),
        ("2", "1" + "+1" * 600 + " = 1", "line 1: expected at most 1000 characters"),
        ("2", "max(eta, w[t]) = 1", r"line 1: expected a number, got the vector w\[t\]"),
    ],
)
def test_a_slip_of_the_pen_is_named(problem, chain, said):
    with pytest.raises(ValueError, match=said):
        prove(problem, chain)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("norm(v[t])/norm(v[t]) = 1", "norm(v[t]) is 0, and norm(v[t])/norm(v[t]) divides by it"),
        ("norm(v[t])^(-1) >= 0", "norm(v[t]) is 0, and norm(v[t])^(-1) divides by it"),
        ("sqrt(dot(w[t], v[t])) >= 0", "dot(w[t], v[t]) is -1, and has no root"),
        ("norm(v[T+1]) >= 0", "v[T+1] = v[2] is not one of v[1], ..., v[T]"),
        ("w[t/2] = w[t/2]", "w[t/2] = w[1/2] is not one of"),
    ],
)
def test_a_side_without_a_value_is_refuted(line, said):
    found = prove("2", f"{line}  # why not")
    assert found.refuted == 1
    assert "Line 1 has no value. Take T = " in found.text
    assert said in found.text.replace("\n", " ")


def test_the_same_may_be_written_in_several_ways():
    for line in (
        "norm(w[t] - w_star)^2 = dot(w[t] - w_star, w[t] - w_star)",
        "norm( w[t]-w_star )**2 == dot(w[t] - w_star,\n   w[t] - w_star)",
        "0 ≤ norm(v[t])",
        "norm(sum(v[s] for s in 1…t)) <= sum(norm(v[s]) for s in 1...t)",
        "eta·norm(v[t])² − 0 = 0.5*η*norm(v[t])^2*2",
        "sum(v[s] for s in 1..0) = 0",
        "0*w_star = v[t] - v[t]",
        "abs(dot(w[t], v[s])) <= norm(w[t])*norm(v[s])",
        "max(eta, 1) + min(eta, 1) = eta + 1",
    ):
        assert prove("2", f"{line}  # so").refuted == 0, line


@st.composite
def sums(draw, depth=4):
    """Draw an expression in eta and T as text, with its value as Python computes it for eta = 2/3 and T = 5."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        number = draw(st.integers(0, 20))
        return draw(st.sampled_from([("eta", Fraction(2, 3)), ("T", Fraction(5)), (str(number), Fraction(number))]))
    (a, x), (b, y) = draw(sums(depth - 1)), draw(sums(depth - 1))
    operations = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y, "^": lambda: x**2}
    sign = draw(st.sampled_from(["+", "-", "*", "^", *(["/"] if y else [])]))
    return (f"({a}){sign}2" if sign == "^" else f"({a}) {sign} ({b})"), operations[sign]()


@given(sums())
def test_the_value_of_an_expression_is_that_of_arithmetic(pair):
    text, value = pair
    world = World({"eta": Fraction(2, 3), "T": Fraction(5)}, {}, {})
    assert Evaluation(world, {}).value(expression(text[:1000]), {}) == value


@given(st.fractions(0, 10**6, max_denominator=1000))
def test_a_root_is_exact_or_has_sixty_digits(number):
    assert root(number**2) == number
    assert 0 <= number - root(number) ** 2 <= Fraction(2001, 10**60)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_instances_begin_with_the_smallest_and_are_made_from_their_numbers(problem):
    found = instances(problem)
    assert [each.size for each in found] == sorted(each.size for each in found)
    assert len({(each.numbers, each.f, each.world.symbols.get("T")) for each in found}) == len(found) > 80
    for each in found:
        again = each.make(each.numbers)
        assert (again.world.symbols, again.world.sequences, again.f) == (
            each.world.symbols,
            each.world.sequences,
            each.f,
        )


def test_among_the_instances_of_the_regret_are_hostile_ones():
    found = instances("2")
    symbols = [each.world.symbols for each in found]
    assert {(int(each["T"]), len(each["w_star"])) for each in symbols} >= {(1, 1), (1, 2), (2, 1), (3, 2), (5, 1)}
    assert any(each["eta"] >= 10 for each in symbols)
    assert any(not any(map(any, each.world.sequences["v"])) for each in found)
    assert sum(each.world.sequences["w"][-1] == each.world.symbols["w_star"] for each in found) > 10
    for each in found:
        w, v = each.world.sequences["w"], each.world.sequences["v"]
        assert not any(w[0])
        for t in range(len(v)):
            assert w[t + 1] == tuple(a - each.world.symbols["eta"] * b for a, b in zip(w[t], v[t], strict=True))


def test_the_instances_of_the_rate_satisfy_what_it_assumes_and_some_attain_it():
    attained = 0
    for each in instances("3"):
        symbols, f, grad = each.world.symbols, each.world.functions["f"], each.world.functions["grad"]
        B, rho, eta, T, w_star = (symbols[name] for name in ("B", "rho", "eta", "T", "w_star"))

        def dot(x, y):
            return sum(a * b for a, b in zip(x, y, strict=True))

        def minus(x, y):
            return tuple(a - b for a, b in zip(x, y, strict=True))

        assert abs(eta * rho * root(T) - B) < TINY
        assert dot(w_star, w_star) <= B**2 + TINY
        points = [*each.world.sequences["w"], w_star, symbols["w_bar"], symbols["z"]]
        points += [tuple(a / 2 - 1 for a in x) for x in points[:2]]
        for x, y in itertools.product(points, repeat=2):
            assert f(y) >= f(x) + dot(grad(x), minus(y, x))
            assert (f(y) - f(x)) ** 2 <= rho**2 * dot(minus(y, x), minus(y, x))
            assert f(w_star) <= f(x)
        attained += abs(f(symbols["w_bar"]) - f(w_star) - B * rho / root(T)) < TINY
    assert attained >= 5


@pytest.mark.parametrize("name", FLAWED)
def test_a_false_proof_has_one_false_line_which_is_found_by_its_number(name):
    definitions, lines = read(FLAWED[name].chain)
    answers = [flaw(name, line=k) for k in range(1, len(lines) + 1)]
    (found,) = [answer for answer in answers if answer.refuted]
    assert found.text.startswith(f"Yes. Line {found.refuted} is false. Take ")
    assert FLAWED[name].moral in found.text.replace("\n", " ")
    for number, answer in enumerate(answers, 1):
        if answer != found:
            count = len(instances(name[0]))
            assert answer.text == f"Line {number} holds in all {count} instances. Look for another."
    assert not definitions
    assert all(line.reason for line in lines)
    shown = flaw(name).text
    assert shown.startswith(f"False proof {name}. ")
    assert f'Which line is false? flaw("{name}", line=...)' in shown


@pytest.mark.parametrize("name", FLAWED)
def test_a_false_proof_gives_no_proof_away(name):
    """No side of a line is one of the bound's, and the rest of its lines does not reach the claim."""
    problem = name[0]
    definitions, lines = read(FLAWED[name].chain)
    sides = [side for line in lines for side in (line.left, line.right)]
    ends = [CLAIMS["2"].left, CLAIMS["2"].right] if problem == "2" else []
    ends += [CLAIMS["3"].left, CLAIMS["3"].right] if problem == "3" else []
    assert not [side for side in sides for end in ends if equal(problem, {}, side, end)]
    assert "1/lam" not in FLAWED[name].chain
    assert not prove(problem, FLAWED[name].chain).accepted


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("9z",), "name must be one of 1a, 1b, .*, got '9z'"),
        (("1a", 9), "line must be from 1 to 4, got 9"),
        (("1a", 0), "line must be from 1 to 4, got 0"),
        (("1a", True), "line must be from 1 to 4, got True"),
        (("1a", "2"), "line must be from 1 to 4, got '2'"),
    ],
)
def test_flaw_names_what_it_expects(arguments, said):
    with pytest.raises(ValueError, match=said):
        flaw(*arguments)


TOKENS = (
    *(
        "w",
        "w[t]",
        "w[t+1]",
        "v[t]",
        "v[s]",
        "w_star",
        "z",
        "f(",
        "grad(",
        "model(",
        "norm(",
        "dot(",
        "sqrt(",
        "sum(",
        "max(",
    ),
    *(
        ")",
        ")",
        ")",
        "(",
        "[",
        "]",
        "{",
        "}",
        ",",
        " for t in 1..T",
        " for s in t..2",
        "eta",
        "lam",
        "T",
        "D",
        "D[t]",
        "w_bar",
    ),
    *(
        " + ",
        " - ",
        "*",
        "/",
        "^2",
        "^",
        "**",
        "-",
        "=",
        " <= ",
        " >= ",
        "==",
        "<",
        "#",
        "# why",
        "\n",
        "let ",
        "let D[t] = ",
    ),
    *(
        "0",
        "1",
        "2",
        "0.5",
        "1e400",
        "7j",
        "'a'",
        "None",
        "lambda: 1",
        "not ",
        " if 1 else 2",
        ":=",
        "*w",
        "...",
        "|",
        "·",
        "∇f",
        "é",
        "\0",
    ),
)


@st.composite
def written(draw):
    """Draw a text for a problem: tokens in any order, or a right chain in which some characters are others."""
    if draw(st.booleans()):
        return draw(st.sampled_from(PROBLEMS)), "".join(draw(st.lists(st.sampled_from(TOKENS), max_size=14)))
    problem, chain = RIGHT[draw(st.sampled_from([*RIGHT]))]
    begin = draw(st.integers(0, len(chain)))
    return problem, chain[:begin] + draw(st.sampled_from(TOKENS)) + chain[begin + draw(st.integers(0, 12)) :]


@pytest.mark.filterwarnings("error")
@settings(max_examples=300, deadline=None)
@given(written())
def test_whatever_is_written_gets_an_answer_or_a_sentence(pair):
    with contextlib.suppress(ValueError):
        assert prove(*pair).text.startswith(("To show: ", "No chain yet"))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_chain_in_the_notebook_is_accepted_and_no_other_is_the_same(problem):
    cells = json.loads((ROOT / "notebooks/1_gradient_descent.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    (source,) = [source for source in sources if f"def chain_{problem}(" in source]
    known = {"prove": prove}
    exec(source, known)
    found = prove(problem, known[f"chain_{problem}"])
    assert found.accepted, str(found)
    assert "single step" not in found.text
    rows = {str(line) for line in read(known[f"chain_{problem}"]())[1]}
    for other, chain in RIGHT.values():
        assert other != problem or len(rows & {str(line) for line in read(chain)[1]}) <= len(rows) / 2
