"""The command `run`, on small notebooks in folders with awkward names."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coursework.notebooks import execute, run_pages
from coursework.notebooks.figures import moves
from coursework.options import COMMANDS
from coursework.root import ROOT

FIGURE = """
from IPython.display import display
figure = {"name": "net: test accuracy", "value": 0.4375, "unit": "accuracy"}
display({"text/plain": "net: test accuracy ≈ 0.438"}, raw=True, metadata={"coursework": figure})
"""
WHERE = """
import json, os, sys
import numpy
from cs7643.plots.style import matplotlib
names = ["CS7643_CIFAR10", "TQDM_DISABLE", "TQDM_MININTERVAL", "PYTHONPATH"]
found = ["planted" in globals(), numpy.__version__, matplotlib.rcParams["text.usetex"]]
found.append("inline" in matplotlib.get_backend())
print(json.dumps([sys.executable, os.getcwd(), *map(os.environ.get, names), *found]))
"""
EXPLORABLE = """
import matplotlib.pyplot as plt
from coursework.explorable import frames
def draw(k):
    figure = plt.figure()
    plt.close(figure)
    figure.set_label(f"picture {k}")
    return figure
frames(draw, {"k": [1, 2]})
"""
PICTURE = 'import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"<b>text</b>"'


def write(folder, name, *cells):
    """Write a notebook of a title with a formula and code cells, which hold an old output; return its path."""
    old = [new_output("stream", text="an old output\n")]
    body = [new_code_cell(source, id=id, outputs=old, execution_count=7) for id, source in cells]
    title = new_markdown_cell(
        f"# Problem {name}\n\nLet $x \\in \\mathbb{{R}}^2$ and\n\n$$y = \\frac{{x}}{{2}}$$", id="top"
    )
    path = folder / f"{name}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=[title, *body]), path)
    return path


def call(folder, *arguments):
    """Run the command; return its exit code, standard output and standard error."""
    parser = argparse.ArgumentParser()
    COMMANDS["run"].arguments(parser)
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = execute.main(parser.parse_args(list(map(str, arguments))), notebooks=folder)
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def printed(path):
    cells = nbformat.read(path, as_version=4).cells
    return {cell.id: "".join(output.get("text", "") for output in cell.get("outputs", [])) for cell in cells}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A run of two notebooks in the home of a user with a configuration that would break everything."""
    home = tmp_path_factory.mktemp("home")
    kernel = home / "jupyter" / "kernels" / "python3"
    startup = home / "ipython" / "profile_default" / "startup"
    for folder in (kernel, startup, home / "packages"):
        folder.mkdir(parents=True)
    (home / "packages" / "numpy.py").write_text("__version__ = 'another'", encoding="utf-8")
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "x", "language": "x"}', encoding="utf-8")
    (startup / "0.py").write_text("planted = True", encoding="utf-8")
    (home / "startup.py").write_text("planted = True", encoding="utf-8")
    folder, output = home / "Übungen, Teil 1", home / "größer & <kleiner>"
    paths = [
        write(folder, "10_last", ("say", "print('the last')")),
        write(folder, "9_first", ("where", WHERE), ("data", "print('Data: Made-up <10>')"), ("figure", FIGURE)),
    ]
    for rc in (home / "matplotlibrc", folder / "matplotlibrc"):
        rc.write_text("text.usetex: True", encoding="utf-8")
    (folder / "._9_first.ipynb").write_bytes(b"\x00\x05\x16\x07")
    (folder / ".ipynb_checkpoints").mkdir()
    before = [path.read_bytes() for path in paths]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(home / "jupyter"))
        patch.setenv("JUPYTER_DATA_DIR", str(home / "jupyter"))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("PYTHONSTARTUP", str(home / "startup.py"))
        patch.setenv("JUPYTER_CONFIG_DIR", str(home / "nowhere"))
        patch.setenv("PYTHONPATH", str(home / "packages"))
        patch.setenv("MATPLOTLIBRC", str(home / "matplotlibrc"))
        patch.setenv("MPLBACKEND", "module://nowhere")
        patch.setenv("TQDM_MININTERVAL", "7")
        result = call(folder, "--output", output, "--cifar10-dir", "embedded")
    unchanged = [path.read_bytes() for path in paths] == before
    return SimpleNamespace(**vars(result), folder=folder, output=output, unchanged=unchanged)


def test_all_notebooks_run_in_order_and_stay_as_they_are(good):
    assert (good.code, good.err) == (0, "")
    lines = good.out.splitlines()
    assert lines[0] == "Data: Shapes-10 (embedded)"
    assert re.fullmatch(
        r"2 notebooks: roughly 2 min\. .* an estimate .*; none has run here with this data yet\.", lines[1]
    )
    assert [line.split(":")[0] for line in lines[2:-1]] == ["9_first", "10_last", "Report"]
    kept = f"The executed copies are in {good.output / 'notebooks'}; the notebooks themselves are as they were."
    assert lines[-1] == f"{kept} `submit --run` writes the results into them."
    assert good.unchanged
    assert {path.name for path in good.output.iterdir()} == {
        *("notebooks", "index.html", "9_first.html", "10_last.html", "seconds.json")
    }
    took = json.loads((good.output / "seconds.json").read_text(encoding="utf-8"))
    assert {name: list(figures) for name, figures in took.items()} == {"9_first": ["Made-up <10>"], "10_last": [""]}
    assert printed(good.output / "notebooks" / "10_last.ipynb")["say"] == "the last\n"


def test_the_kernel_is_this_python_beside_the_notebook_without_the_users_configuration(good):
    where = json.loads(printed(good.output / "notebooks" / "9_first.ipynb")["where"])
    outside = [None, "", False, np.__version__, False, True]
    assert where == [sys.executable, str(good.folder.resolve()), "embedded", "1", *outside]


def test_the_index_shows_what_came_out(good):
    index = (good.output / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr>(?!<th).*?</tr>", index)
    assert len(rows) == 2
    assert all(part in rows[0] for part in ('href="9_first.html"', "Problem 9_first", ">3<", "net: test accuracy"))
    assert all(part in rows[0] for part in ("Made-up &lt;10&gt;", "43.8%"))
    assert 'href="10_last.html"' in rows[1]
    assert "Made-up" not in rows[1]
    assert f"NumPy {np.__version__}" in index
    assert "2 notebooks ran without an error" in index


class Loads(HTMLParser):
    """Collects what a page would fetch."""

    def __init__(self, text):
        super().__init__()
        self.found, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag in ("script", "link", "iframe", "object", "base"):
            self.found.append(tag)
        for name, value in attributes:
            if name in ("src", "srcset", "poster", "data") and not (value or "").startswith("data:"):
                self.found.append(value)
            if name == "href" and not re.match(r"#|[\w.%-]+\.html", value or ""):
                self.found.append(value)


def test_the_pages_load_nothing_and_show_formulas(good):
    for path in good.output.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        loads = Loads(text)
        assert loads.found == []
        assert not re.search(r"https?:|@import|url\(", text)
        assert ("math" in loads.tags) == (path.name != "index.html")


@pytest.mark.parametrize(
    ("source", "reason", "traceback"),
    [
        ("def inner():\n    return 1 / 0\n\ninner()", "ZeroDivisionError: division by zero", "return 1 / 0"),
        (
            "import os, time\nprint('alive', flush=True)\ntime.sleep(1)\nos._exit(3)",
            "the kernel died while it ran",
            None,
        ),
        ("import time\nprint('alive', flush=True)\ntime.sleep(60)", "it took longer than 2 s and was stopped", None),
    ],
    ids=["exception", "death", "time-out"],
)
def test_a_failing_cell_ends_the_run(tmp_path, source, reason, traceback):
    folder, output = tmp_path / "notebooks", tmp_path / "out"
    write(folder, "1_a", ("first", "print('before')"), ("culprit", source), ("later", "print('after')"))
    write(folder, "2_b", ("never", "print('never')"))
    output.mkdir()
    (output / "2_b.html").write_text("of an earlier run", encoding="utf-8")
    result = call(folder, "--output", output, "--cifar10-dir", "embedded", "--timeout", "2")
    assert result.code == 1
    first, *rest = result.err.splitlines()
    assert first.startswith(f"run: 1_a.ipynb, code cell 2 of 3 (id culprit): {reason}")
    assert all(f"    {line}" in rest for line in source.splitlines())
    assert "\x1b" not in result.err
    assert ("Traceback (most recent call last)" in result.err) == (traceback is not None)
    assert traceback is None or re.search(rf"-> *\d+ +{re.escape(traceback)}", result.err)

    left = printed(output / "notebooks" / "1_a.ipynb")
    assert (left["first"], left["later"]) == ("before\n", "")
    assert left["culprit"] == ("" if traceback else "alive\n")
    page = (output / "1_a.html").read_text(encoding="utf-8")
    assert reason in page
    assert "1 of 3 cells" in page
    index = (output / "index.html").read_text(encoding="utf-8")
    assert reason in index
    assert "ran without an error" not in index
    assert re.search(r"2_b</td><td[^>]*>did not run", index)
    assert not (output / "2_b.html").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that only this process would get")
def test_ctrl_c_leaves_what_ran_and_no_kernel(tmp_path):
    note = tmp_path / "pid"
    source = f"import os, time\nopen({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    write(tmp_path / "notebooks", "1_a", ("first", "print('before')"), ("slow", source))
    code = (
        "import argparse, pathlib, signal, sys; from coursework.notebooks import execute;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # a job in the background would ignore Ctrl-C
        "from coursework.options import COMMANDS;"
        "parser = argparse.ArgumentParser();"
        "COMMANDS['run'].arguments(parser); args = parser.parse_args(sys.argv[2:]);"
        "sys.exit(execute.main(args, notebooks=pathlib.Path(sys.argv[1])))"
    )
    arguments = [tmp_path / "notebooks", "--cifar10-dir", "embedded", "--output", tmp_path / "out"]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (note.exists() and note.read_text(encoding="utf-8")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 130
    assert err == f"run: stopped; what has run is in {tmp_path / 'out'}\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text(encoding="utf-8")), 0)
    assert printed(tmp_path / "out" / "notebooks" / "1_a.ipynb")["first"] == "before\n"
    assert "stopped by Ctrl-C" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_in_place_stores_stable_notebooks(tmp_path, monkeypatch):
    monkeypatch.setenv("CS7643_CIFAR10", str(tmp_path / "not there"))  # the embedded default is used all the same
    pieces = "import time\nfor number in range(3):\n    print(number, flush=True)\n    time.sleep(0.1)"
    folder = tmp_path / "notebooks"
    path = write(
        folder, "1_a", ("pieces", pieces), ("empty", ""), ("figure", FIGURE), ("picture", PICTURE), ("live", EXPLORABLE)
    )
    stored = []
    for _ in range(2):
        assert call(folder, "--in-place", "--output", tmp_path / "out").code == 0
        stored.append(path.read_bytes())
    assert stored[0] == stored[1]
    assert stored[0].endswith(b"}\n")

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    cells = notebook.cells[1:]
    assert [cell.id for cell in cells] == ["pieces", "empty", "figure", "picture", "live"]
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5]
    assert all(cell.metadata == {} for cell in cells)
    assert [output.text for output in cells[0].outputs] == ["0\n1\n2\n"]
    assert cells[2].outputs[0].metadata.coursework.value == 0.4375
    kinds = [set(output.data) for output in cells[3].outputs]
    assert {"text/plain", "image/png"} in kinds
    assert [output.execution_count for output in cells[3].outputs if output.output_type == "execute_result"] == [4]
    (live,) = cells[4].outputs
    assert set(live.data) == {"image/png", "text/plain", "text/html"}  # it needs no kernel
    assert moves(live)


def test_in_place_stores_nothing_when_a_cell_fails(tmp_path):
    folder = tmp_path / "notebooks"
    paths = [write(folder, "1_a", ("good", "1")), write(folder, "2_b", ("bad", "1 / 0"))]
    before = [path.read_bytes() for path in paths]
    assert call(folder, "--in-place", "--output", tmp_path / "out").code == 1
    assert [path.read_bytes() for path in paths] == before


def test_notebooks_are_chosen_by_name_or_number(tmp_path):
    paths = [write(tmp_path, name) for name in ("1_a", "2_b", "10_c")]
    assert execute.choose([], tmp_path) == paths
    assert execute.choose(["10", "notebooks/1_a.ipynb", "1_a"], tmp_path) == [paths[0], paths[2]]
    assert execute.choose(["1"], tmp_path) == [paths[0]]


@pytest.mark.parametrize(
    ("name", "meant"), [("2_autodif", "2_autodiff"), ("notebooks/2_autodiff-Copy1.ipynb", "2_autodiff"), ("Z", None)]
)
def test_the_near_match_of_a_renamed_notebook_is_named(tmp_path, name, meant):
    for known in ("1_gradient_descent", "2_autodiff"):
        write(tmp_path, known)
    question = f"did you mean {meant}? There are" if meant else "there are"
    with pytest.raises(ValueError, match=rf"no notebook {re.escape(name)}; {re.escape(question)}: 1_gradient_descent"):
        execute.choose([name], tmp_path)


def test_what_systems_and_editors_keep_is_no_notebook(tmp_path):
    path = write(tmp_path, "1_a")
    (tmp_path / "._1_a.ipynb").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / ".~1_a.ipynb").touch()
    (tmp_path / "2_folder.ipynb").mkdir()
    assert execute.choose([], tmp_path) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("in_place", [[], ["--in-place"]])
def test_a_disk_that_is_full_is_a_line(tmp_path, in_place):
    """A limit on the size of files has the same effect, and is the test's own."""
    path = write(tmp_path / "notebooks", "1_a", ("long", "print('x' * 200_000)"))
    before = path.read_bytes()
    code = (
        "import argparse, pathlib, resource, sys; from coursework.notebooks import execute;"
        "from coursework.options import COMMANDS;"
        "parser = argparse.ArgumentParser(); COMMANDS['run'].arguments(parser); args = parser.parse_args(sys.argv[2:]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "sys.exit(execute.main(args, notebooks=pathlib.Path(sys.argv[1])))"
    )
    arguments = [tmp_path / "notebooks", *in_place, "--output", tmp_path / "out"]
    result = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1), result.stderr
    assert "1_a.ipynb" in result.stderr
    assert path.read_bytes() == before
    assert not [file for file in (tmp_path / "out").rglob("*") if file.is_file()]


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs a folder in which nobody may write")
def test_a_report_that_cannot_be_written_ends_the_run_before_it_begins(tmp_path):
    note = tmp_path / "note"
    write(tmp_path / "notebooks", "1_a", ("first", f"open({str(note)!r}, 'w')"))
    result = call(tmp_path / "notebooks", "--cifar10-dir", "embedded", "--output", "/proc/out")
    assert (result.code, len(result.err.splitlines())) == (1, 1)
    assert "/proc/out" in result.err
    assert not note.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["3"], 2, "there is no notebook 3; there are: 1_a"),
        (["--in-place", "--cifar10-dir", "elsewhere"], 2, "--in-place uses what the repository itself holds"),
        (["--cifar10-dir", "elsewhere"], 1, "elsewhere (as requested)"),
        (["--cifar10-dir", "damaged"], 1, "damaged: the data set is incomplete"),
    ],
)
def test_a_wrong_call_is_a_line(tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "notebooks", "1_a", ("never", "1 / 0"))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "data_batch_1").write_bytes(b"nothing")
    result = call(tmp_path / "notebooks", *arguments, "--output", "out")
    assert (result.code, result.out) == (code, "")
    assert len(result.err.splitlines()) == 1
    assert message in result.err
    assert not (tmp_path / "out").exists()


def test_a_broken_notebook_and_an_output_that_cannot_be_written_are_a_line(tmp_path):
    folder = tmp_path / "notebooks"
    write(folder, "1_a", ("one", "1"))
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    result = call(folder, "--cifar10-dir", "embedded", "--output", tmp_path / "file")
    assert (result.code, len(result.err.splitlines())) == (1, 1)
    (folder / "1_a.ipynb").write_text("{", encoding="utf-8")
    result = call(folder, "--cifar10-dir", "embedded", "--output", tmp_path / "out")
    assert (result.code, len(result.err.splitlines())) == (1, 1)
    assert "1_a.ipynb" in result.err


@pytest.mark.parametrize("text", ["0", "-1", "soon", "1.5"])
def test_the_time_out_is_a_number_of_seconds(tmp_path, text):
    with pytest.raises(SystemExit) as stop:
        call(tmp_path, "--timeout", text)
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("latex", "texts"),
    [
        (r"\frac{a}{b}", "ab"),
        (r"\sum_{i=1}^N x_i", "∑i=1Nxi"),
        (r"\text{the rows of } X \in \mathbb{R}^{N \times D}", "the rows of X∈ℝN×D"),
        (r"G \odot [x > 0] < 1", "G⊙[x>0]<1"),
        (r"\lfloor x / s \rfloor \qquad x'", "⌊x/s⌋x′"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "(1234)"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a=bc=d"),
        (r"-\log p_y + \max(0, x)", "−logpy+max(0,x)"),
        (r"\left(\|w\|^2\right)", "(‖w‖2)"),
    ],
)
@pytest.mark.parametrize("display", [False, True])
def test_formulas_become_mathml(latex, texts, display):
    tree = ElementTree.fromstring(run_pages.formula(latex, display))
    assert (tree.tag, tree.get("display"), tree.get("alttext")) == ("math", "block" if display else "inline", latex)
    assert re.sub(r"\s", "", "".join(tree.itertext())) == re.sub(r"\s", "", texts)


def test_the_number_of_a_formula_stands_beside_it():
    shown = run_pages.formula(r"a = b \tag{4}", display=True)
    assert shown.endswith("<span>(4)</span></div>")
    assert run_pages.formula("a = b", display=True) in shown
    assert run_pages.formula(r"\nonsense \tag{4}", display=True).count("(4)") == 1


@pytest.mark.parametrize("latex", [r"\nosuchcommand{x} < y", r"\left( x \right", r"\text{a < b}"])
def test_a_formula_that_cannot_be_turned_shows_its_source(latex):
    shown = run_pages.formula(latex)
    assert "".join(ElementTree.fromstring(shown).itertext()) == f"${latex}$"


@pytest.mark.parametrize(
    ("source", "formulas", "kept"),
    [
        ("a $x$ b", 1, "a "),
        ("costs \\$5 and \\$6", 0, "costs $5 and $6"),
        ("code `$x$` and `$$x$$` stay", 0, "<code>$x$</code> and <code>$$x$$</code> stay"),
        ("```\n$$x$$ and $y$\n```", 0, "$$x$$ and $y$"),
        ("    $x$", 0, "<code>$x$"),
        ("- a\n- $\\ x_1 *\n  y_2 * z$ b", 1, " b</li>"),
        ("text:\n$$a_1 * b *\nc$$\nmore", 1, "more"),
        ("| a | b |\n| --- | --- |\n| $x$ | $-\\eta g$ |", 2, "<td>"),
        ("<details><summary>Hint $x$</summary>so $y < 1$, <code>$z$</code></details>", 2, "<code>$z$</code>"),
        ("## The $x$ axis", 1, "axis"),
        ("Type <kbd>Shift</kbd>+$x$.", 1, "Type <kbd>Shift</kbd>+<math "),
    ],
)
def test_markdown_keeps_code_and_turns_formulas(source, formulas, kept):
    shown = run_pages.markdown(source)
    assert shown.count("<math ") == shown.count("</math>") == formulas
    assert kept in shown
    assert "<em>" not in shown
    assert kept in run_pages.markdown(source, folder=ROOT)


def test_pictures_beside_a_notebook_are_a_part_of_its_page(tmp_path):
    (tmp_path / "my photo.png").write_bytes(b"ABC")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "my photo.png").write_bytes(b"abc")
    source = "![proof](<my photo.png>) <img src='my photo.png'> ![](<../my photo.png>) ![gone](attachment:gone.png)"
    shown = run_pages.markdown(source, folder=tmp_path / "notebooks")
    assert shown.count('src="data:image/png;base64,YWJj"') == 2
    assert "QUJD" not in shown
    assert "gone (the picture gone.png is missing)" in shown
