"""hw1.pdf: questions on pages of their own, the same bytes from the same notebooks, and nothing lost in silence."""

from __future__ import annotations

import base64
import copy
import functools
import io
import json
import re
import subprocess
import sys
import unicodedata

import nbformat
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from repository import ROOT

from coursework.homework import homework
from coursework.submit import formulas, glyphs, notebooks, pdf_pages, prose, write_up
from coursework.submit.formulas import Formula
from coursework.submit.person import Person
from coursework.submit.pictures import Pictures

ADA = Person("Ada Lovelace", "none")


@functools.cache
def read_once():
    return {path.stem: notebooks.read(path) for path in (ROOT / "notebooks").glob("*.ipynb")}


def all_notebooks():
    return copy.deepcopy(read_once())


@pytest.fixture(scope="module")
def made():
    return write_up.write(all_notebooks(), ADA, ROOT)


def page_texts(content, first=1, last=None):
    return [page.extract_text() for page in pdf_pages.open_pdf(content).pages[first - 1 : last]]


def with_answer(source, attachments=None, person=ADA):
    """Return the PDF of notebook 1 whose first answer is ``source``, and its first pages' text and notes on it."""
    notebook = all_notebooks()["1_gradient_descent"]
    cell = next(cell for cell in notebook.cells if cell.id == "proximal-proof")
    cell.source = source
    if attachments:
        cell.attachments = attachments
    written = write_up.write({"1_gradient_descent": notebook}, person, ROOT)
    first, last = written.pages["Problem 1"]
    text = "\n".join(page_texts(written.content, first, last))
    return written, text, [note.what for note in written.notes if note.cell == "proximal-proof"]


def png(size=(40, 30)):
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def test_each_question_begins_on_a_page_of_its_own(made):
    texts = page_texts(made.content)
    heads = {}
    for problem in homework().problems:
        tasks = problem.tasks if problem.apart else ()
        heads |= {task.number: f"{task.number} {task.title}" for task in tasks}
        heads |= {} if problem.apart else {f"Problem {problem.number}": f"Problem {problem.number}. {problem.title}"}
    assert list(made.pages) == list(heads)
    covered = [page for first, last in made.pages.values() for page in range(first, last + 1)]
    assert covered == list(range(1, len(texts) + 1))
    for name, (first, last) in made.pages.items():
        assert heads[name] in texts[first - 1].replace("\n", " ")
        for page in range(first, last + 1):
            assert texts[page - 1].startswith(f"Problem {name.removeprefix('Problem ')} Ada Lovelace\n")
            assert f"page {page} of {len(texts)}" in texts[page - 1]
    assert pdf_pages.described({"Problem 1": (1, 1), "6.1": (2, 3)}) == "Problem 1: page 1; 6.1: pages 2-3"


def test_headings_do_not_carry_the_numbers_of_the_notebooks_sections(made):
    text = "\n".join(page_texts(made.content))
    assert "What is wrong with it?" in text
    assert not re.search(r"^\d+\. (What is wrong|Does it know)", text, re.M)
    _, shown, _ = with_answer("## 7. A heading of my own")
    assert "7. A heading of my own" in shown


def test_the_answers_of_the_notebooks_are_there_in_full(made):
    text = unicodedata.normalize("NFKC", " ".join(page_texts(made.content)))
    words = set(re.findall(r"[A-Za-z]{6,}", text.replace("-\n", "")))
    for notebook in all_notebooks().values():
        for cell in notebook.cells:
            if "answer" in cell.metadata.tags:
                source = re.sub(r"<!--.*?-->|\$\$.*?\$\$|\$.*?\$|`.*?`", " ", cell.source, flags=re.S)
                wanted = set(re.findall(r"[A-Za-z]{6,}", source))
                assert wanted
                assert len(wanted - words) <= len(wanted) // 10, wanted - words  # some are hyphenated
    assert made.notes == ()


def changed(kind):
    """Return the notebooks as an editor, or a careless hand, leaves them."""
    notebooks, rng = all_notebooks(), np.random.default_rng(0)
    for notebook in notebooks.values():
        ids = [cell.id for cell in notebook.cells]
        for cell, other in zip(notebook.cells, rng.permutation(ids), strict=True):
            if kind in ("no ids", "neither"):
                del cell["id"]
            if kind in ("no tags", "neither"):
                cell.metadata = nbformat.NotebookNode()
            if kind == "other ids":
                cell.id = str(other)
    return notebooks


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["no ids", "other ids", "no tags", "neither"])
def test_an_editor_that_drops_or_moves_ids_and_tags_changes_nothing(kind, made):
    again = write_up.write(changed(kind), ADA, ROOT)
    assert page_texts(again.content) == page_texts(made.content)
    assert [note for note in again.notes if "not there" in note.what] == []


def test_the_same_notebooks_give_the_same_bytes_in_another_process(made):
    program = (
        "import hashlib, pathlib; from coursework.submit import write_up, notebooks; "
        "from coursework.submit.person import Person; "
        f"root = pathlib.Path({str(ROOT)!r}); "
        "found = {path.stem: notebooks.read(path) for path in (root / 'notebooks').glob('*.ipynb')}; "
        "print(hashlib.sha256(write_up.write(found, Person('Ada Lovelace', 'none'), root).content).hexdigest())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(made.content) > 100_000


def test_an_answer_that_was_not_written_is_named():
    _, _, notes = with_answer("*Your answer here*")
    assert notes == ["there is no answer yet"]
    _, _, notes = with_answer("")
    assert notes == ["there is no answer yet"]
    _, _, notes = with_answer("*Your answer here*![p](attachment:p.png)", {"p.png": {"image/png": png()}})
    assert notes == []


def test_a_cell_that_is_gone_is_named():
    notebook = all_notebooks()["1_gradient_descent"]
    notebook.cells = [cell for cell in notebook.cells if cell.id != "rate-proof"]
    written = write_up.write({"1_gradient_descent": notebook}, ADA, ROOT)
    lost = (
        "the answer cell of task 3, under the heading 'Problem 3. The rate of gradient descent' is not there any more"
    )
    assert any(lost in str(note) for note in written.notes)


def test_runs_and_what_extra_says_are_shown(ready):
    results = ready / homework().results
    for model in [task.run for task in homework().all_tasks if task.run]:
        assert not list(results.glob(f"{model}_*"))
    written = write_up.write({}, ADA, ready)
    texts = page_texts(written.content)
    assert "".join(texts).count("No log and no picture of a run is there.") == 4
    assert "What I did for problem 6.7" in texts[-1]


def test_the_pictures_and_the_end_of_the_log_of_a_run_are_shown(root):
    results = root / homework().results
    settings = f"settings: {'x' * 250}\n"
    (results / "convnet.log").write_text(settings + "".join(f"epoch {n}\n" for n in range(90)) + "accuracy 0.71\n")
    (results / "convnet_gridfilt.png").write_bytes(base64.b64decode(png()))
    (results / "convnet_confusion.png").write_bytes(b"not a picture")
    written = write_up.write({}, ADA, root)
    (page,) = [p for p in pdf_pages.open_pdf(written.content).pages if "6.6 The training run" in p.extract_text()]
    shown = page.extract_text()
    assert "settings: xxx" in shown
    assert "accuracy 0.71" in shown
    lines = [int(number) for number in re.findall(r"epoch (\d+)", shown)]
    (left_out,) = map(int, re.findall(r"\[(\d+) lines are left out\]", shown))
    assert lines[-1] == 89
    assert len(lines) + left_out == 90
    assert len(page.images) == 1
    assert any("convnet_confusion.png" in str(note) and "damaged" in str(note) for note in written.notes)


def test_cells_that_a_student_added_are_shown():
    notebook = all_notebooks()["1_gradient_descent"]
    place = next(number for number, cell in enumerate(notebook.cells) if cell.id == "regret-proof")
    notebook.cells.insert(place + 1, nbformat.v4.new_markdown_cell("My own Lemmatisation of it."))
    output = nbformat.v4.new_output("stream", text="my own figure 42\n")
    notebook.cells.insert(place + 2, nbformat.v4.new_code_cell("print()", outputs=[output], id="0f0c3b5e"))
    written = write_up.write({"1_gradient_descent": notebook}, ADA, ROOT)
    text = page_texts(written.content, *written.pages["Problem 2"])[0]
    assert "My own Lemmatisation of it." in text
    assert "my own figure 42" in text


@pytest.mark.parametrize(
    ("latex", "typst"),
    [
        (r"a \! b", "#h(-0.167em)"),
        (r"a \; b", "#h(0.278em)"),
        (r"a \: b", "#h(0.222em)"),
        (r"a \hspace{1.5em} b", "#h(1.500em)"),
        (r"\operatorname*{argmin}_x f", 'op("argmin", limits: #true)_x'),
        (r"\operatorname*{arg\,max}_x f", 'op("arg max", limits: #true)_x'),
        (r"\operatorname{diag}(x)", 'op("diag")'),
        (r"x = y \tag{3}", '"(3)"'),
        (r"\begin{align} a &= b \\ c &= d \end{align}", "a & = b"),
        (r"\begin{align*} a &= b \\ c &= d \end{align*}", "c & = d"),
        (r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", "cases"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "mat("),
        (r"\|x\|^2", "‖x‖^2"),
        (r"\left\| \frac{x}{2} \right\|^2", "lr(‖x / 2‖)^2"),
        (r"\lVert x \rVert_2", "lr(‖x‖)_2"),
        (r"|x|", r"\|x\|"),
        (r"\underset{z}{\mathrm{min}}", "_z"),
        (r"\mathbb{R}^d \ni \boldsymbol{\beta}", "bb(R)^d"),
        (r"x \label{eq} \nonumber", "x"),
    ],
)
def test_a_formula_keeps_what_pandoc_alone_would_lose(latex, typst):
    (found,) = formulas.to_typst([Formula(latex, display=True)])
    assert found is not None
    assert typst in found
    assert "⟦" not in found


@pytest.mark.parametrize("latex", [r"\foo{x}", r"\frac{a", r"\begin{foo} x \end{foo}", "a & b"])
def test_a_formula_with_something_unknown_is_none(latex):
    found = formulas.to_typst([Formula("a", False), Formula(latex, True), Formula("b", False)])
    assert found == ["$a$", None, "$b$"]


@pytest.mark.parametrize(
    ("source", "shown", "note"),
    [
        (r"So $\foo{x}$ holds.", r"$\foo{x}$", "a formula holds something unknown and is shown as typed"),
        ("So\n\n$$x = 1\n\nholds.", "x = 1", "a $$ without its partner"),
        ("It costs $x and more.", "$x and more", "a $ without its partner"),
        (r"As \textbf{said} before.", r"\textbf{said}", "LaTeX outside of a formula is shown as typed"),
        ("See ![a plot](plot.png).", "a plot: the picture is missing: plot.png", "the picture is missing: plot.png"),
        ("![p](https://example.org/p.png)", "on the network", "the picture is on the network"),
        ("![p](../../../secret.png)", "outside of this folder", "the picture lies outside of this folder"),
        ("![p](attachment:p.png)", "no such attachment", "the picture is missing: the cell has no such attachment"),
        ("![p](data:image/png;base64,AAAA)", "damaged", "the picture is damaged, or of an unknown kind"),
        ("a <iframe src='https://example.org'></iframe> b", "a b", "the HTML element <iframe> is not shown"),
        ("<script>alert(1)</script>\n\nafter", "after", "the HTML element <script> is not shown"),
        ("<span style='color: red'>red words</span>", "red words", "the style of the HTML element <span> is left out"),
        (r"$\color{red}{x} = y$", "=", "the colour of a formula is left out"),
    ],
)
def test_what_cannot_be_shown_is_named_with_its_cell(source, shown, note):
    _, text, notes = with_answer(source)
    assert shown in text.replace("\n", " ")
    assert [what for what in notes if note in what], notes


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("A <b>bold</b> word, H<sub>2</sub>O<br>a new line &amp; <kbd>Ctrl</kbd>.", ["bold", "a new line & Ctrl"]),
        ("<table><tr><th>n</th><td>17</td></tr></table>", ["n", "17"]),
        ("<details><summary>Folded</summary>\n\nthe *inside* with $x$\n\n</details>", ["Folded", "inside"]),
        ("<div>\n$y^2$ in a box\n</div>", ["in a box"]),
        ("| a | b |\n| --- | --- |\n| 31 | 32 |", ["31", "32"]),
        ("1. one\n2. two\n   - nested\n\n> quoted\n\n---\n\n~~gone~~", ["one", "nested", "quoted", "gone"]),
        ("# A heading of one's own\n\n## and another", ["A heading of one's own", "and another"]),
        ("[a link](https://example.org/a_b) and [a place](#there) and <https://example.org>", ["a link", "a place"]),
        ("It costs $5 and \\$6, 100 % of #1 @home * _x_ ~ <3 [x] \\\\ `a_b` \" ' // /* */", ["$5 and $6", "#1 @home"]),
        ("\\begin{align}\na &= b \\tag{7} \\\\\nc &= d\n\\end{align}", ["(7)"]),
        ("$$\\begin{aligned}a &= b\\\\c &= d\\end{aligned}$$", ["=", "d" ]),
        ("Inline $$x^2 \\tag{8}$$ in a line", ["(8)", "in a line"]),
        ("```python\nx = '$$' + \"\\\\frac\"  # <b>\n```", ["x = '$$' + \"\\\\frac\" # <b>"]),
        ("    indented code", ["indented code"]),
        ("Umlauts äöü, Ελληνικά, русский, “quotes” – and → arrows ≤ ∈ ∑ ✓", ["äöü", "русский", "≤ ∈ ∑ ✓"]),
    ],
    ids=range(15),
)  # fmt: skip
def test_what_jupyter_shows_is_shown(source, shown):
    _, text, notes = with_answer(source)
    assert notes == []
    for words in shown:
        assert words in re.sub(r"[ \n]+", " ", text), text


def test_pictures_of_a_cell_are_in_the_pdf():
    sources = (
        "![p](attachment:0%20a.png)",  # Jupyter Notebook
        "![p](attachment:1%20a.png)",
        "![2 a](<attachment:2 a.png>)",  # VS Code
        "![3 a](attachment:3 a.png)",
        "<img src='attachment:4.png' width=30>",
        "![p](data:image/png;base64,{})",  # Colab
        "<img src='data:image/png;base64,{}' width='50%'>",
        "![][image1]\n\n[image1]: <data:image/png;base64,{}>",
    )
    encoded = [png((40 + k, 30)) for k in range(len(sources))]
    names = ("0 a.png", "1%20a.png", "2 a.png", "3 a.png", "4.png")
    attachments = {name: {"image/png": encoded[k]} for k, name in enumerate(names)}
    source = "\n\n".join(each.replace("{}", encoded[k]) for k, each in enumerate(sources))
    written, _, notes = with_answer(source, attachments)
    assert notes == []
    images = [image.image.size for page in pdf_pages.open_pdf(written.content).pages for image in page.images]
    assert [size for size in images if size[1] == 30] == [(40 + k, 30) for k in range(len(sources))]


def placed(written):
    """Return the corners of each picture of a PDF, in points: left, bottom, right, top."""
    found = []

    def visit(operator, operands, cm, tm):
        if operator == b"Do":
            found.append((cm[4], cm[5], cm[4] + cm[0], cm[5] + cm[3]))

    for page in pdf_pages.open_pdf(written.content).pages:
        page.extract_text(visitor_operand_before=visit)
    return [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in found]


def test_a_picture_is_whole_wherever_it_stands():
    sizes = [(5000, 10), (600, 4000), (4000, 600), (300, 9000), (30, 20)]
    forms = ["![p]({})", "- one\n  - two ![p]({})", "| a | b |\n|-|-|\n| ![p]({}) | ![p]({}) |"]
    attachments = {f"{k}.png": {"image/png": png(size)} for k, size in enumerate(sizes)}
    source = "\n\n".join(form.replace("{}", f"attachment:{k}.png") for k in range(len(sizes)) for form in forms)
    written, _, notes = with_answer(source, attachments)
    assert notes == []
    corners = placed(written)
    for width, height in sizes:
        ratios = [(right - left) / (top - bottom) for left, bottom, right, top in corners]
        assert sum(abs(ratio * height / width - 1) < 0.02 for ratio in ratios) == 4
    for left, bottom, right, top in corners:
        assert 50 < left < right < 545
        assert 55 < bottom < top < 775


def photograph(turn, size=(4000, 3000)):
    """Return a JPEG whose upper left corner is red once it is turned as its EXIF says; with the noise of a camera."""
    pixels = np.random.default_rng(0).integers(150, 250, (size[1], size[0], 3), dtype=np.uint8)
    upright = Image.fromarray(pixels)
    upright.paste("red", (0, 0, size[0] // 4, size[1] // 4))
    back = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[turn]
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = turn
    (upright.transpose(back) if back is not None else upright).save(stream, "JPEG", quality=95, exif=exif)
    return stream.getvalue()


def test_photographs_are_upright_and_light():
    contents = {f"IMG {turn}.jpg": photograph(turn) for turn in (1, 3, 6, 8)}
    assert min(map(len, contents.values())) > 5e6
    attachments = {name: {"image/jpeg": base64.b64encode(content).decode()} for name, content in contents.items()}
    written, _, notes = with_answer("\n\n".join(f"![{name}](<attachment:{name}>)" for name in contents), attachments)
    assert notes == []
    assert len(written.content) < 4 * 1.5e6
    images = [image.image for page in pdf_pages.open_pdf(written.content).pages for image in page.images]
    photos = [image for image in images if image.size == (1200, 900)]
    assert len(photos) == 4
    for photo in photos:
        red, green, blue = np.asarray(photo.convert("RGB").resize((8, 8)), dtype=int).transpose(2, 0, 1)
        assert np.array_equal(np.argwhere((red > 200) & (green < 90) & (blue < 90)), [[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "MPO"])
def test_a_picture_of_any_kind_keeps_its_look(mode, kind, tmp_path):
    pixels = np.full((700, 700), 40, np.uint8)
    pixels[:350] = np.random.default_rng(0).integers(180, 220, (350, 700))
    picture = Image.fromarray(pixels.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(pixels)
    stream = io.BytesIO()
    try:
        picture.convert("RGB" if mode == "CMYK" else "L" if mode == "P" else picture.mode).convert(mode).save(
            stream, kind
        )
    except (OSError, ValueError):
        pytest.skip(f"{kind} does not hold {mode}")
    with Image.open(stream) as saved:
        if mode == "I;16" and saved.mode != mode:
            pytest.skip(f"{kind} does not hold 16 bits")
    assert Pictures(tmp_path / "pictures").place(stream.getvalue()).startswith('#picture("/pictures/')
    (stored,) = (tmp_path / "pictures").iterdir()
    with Image.open(stored) as found:
        array = np.asarray(found if found.mode.startswith("I") else found.convert("L"), dtype=float)
    array = array / (257 if mode == "I;16" and array.max() > 255 else 1)
    half = len(array) // 2
    assert array[: half - 9].mean() == pytest.approx(200, abs=12)
    assert array[half + 9 :].mean() == pytest.approx(40, abs=12)


def test_a_file_that_is_no_picture_is_named():
    contents = {
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "the picture is HEIC, the format of iPhones, which cannot be shown here",
        b"%PDF-1.7\n": "the file is a PDF, and no picture: save its page as PNG or JPEG",
        photograph(1)[:50_000]: "the picture is damaged",
    }
    attachments = {str(k): {"image/heic": base64.b64encode(content).decode()} for k, content in enumerate(contents)}
    _, text, notes = with_answer("\n\n".join(f"![p](attachment:{name})" for name in attachments), attachments)
    for note, what in zip(notes, contents.values(), strict=True):
        assert what in note
        assert what in text.replace("\n", " ")


def test_over_long_lines_stay_on_the_page():
    long_word, long_line = "x" * 400, "print(" + ", ".join(map(str, range(100))) + ")"
    formula = " + ".join(f"x_{{{k}}}^2" for k in range(80))
    source = f"{long_word} and `{long_word}`\n\n```\n{long_line}\n```\n\n$${formula}$$\n\n"
    source += f"| {long_word} | b |\n|-|-|\n| 1 | 2 |"
    written, text, notes = with_answer(source)
    assert notes == []
    assert re.sub(r"[↪\s]", "", text).count("x" * 400) >= 2
    assert long_line.replace(" ", "") in re.sub(r"[↪\s]", "", text)
    reader = pdf_pages.open_pdf(written.content)
    page, right = reader.pages[0], []
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: right.append(tm[4] * cm[0] + cm[4]))
    assert max(right) < float(page.mediabox.width) - 40


def test_a_character_without_a_glyph_is_named():
    absent = glyphs.missing("a中文🎉é∑😀")
    assert absent == ["中", "文", "🎉"]
    _, left = glyphs.find_fonts(absent)
    _, text, notes = with_answer("I think 中文 and 🎉, in $\\text{中}$ and `文` too.")
    assert [note for note in notes if "no font here draws" in note] == notes
    for char in left:
        assert glyphs.named(char) in text
        assert any(char in note for note in notes)
    for char in set(absent) - set(left):
        assert char in text


def test_a_character_that_a_font_of_the_system_draws_is_drawn(tmp_path, monkeypatch):
    from fontTools.ttLib import TTFont

    font = TTFont(glyphs.SHIPPED / "DejaVuSans.ttf")
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[ord("中")] = font.getBestCmap()[ord("x")]
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = "A Font With Zhong"
    font.save(tmp_path / "zhong.ttf")
    monkeypatch.setattr(glyphs.font_manager, "findSystemFonts", lambda: [str(tmp_path / "zhong.ttf")])
    _, text, notes = with_answer("I think 中.")
    assert notes == []
    assert "中" in text or "I think" in text
    assert "U+4E2D" not in text


def test_a_name_of_any_kind_is_on_each_page():
    person = Person('O\'Neil "Ñ" #\\$ *von* _Über_ [x]', "B & C <d>")
    written, text, _ = with_answer("nothing", person=person)
    assert "B & C <d>" in text
    assert all('O\'Neil "Ñ" #\\$ *von* _Über_ [x]' in page for page in page_texts(written.content))


def with_outputs(*outputs):
    """Return the text of problem 1 whose first result has these outputs, and the notes on it."""
    notebook = all_notebooks()["1_gradient_descent"]
    cell = next(cell for cell in notebook.cells if cell.id == "proximal-scipy")
    cell.outputs = list(outputs)
    written = write_up.write({"1_gradient_descent": notebook}, ADA, ROOT)
    first, last = written.pages["Problem 1"]
    text = "\n".join(page_texts(written.content, first, last))
    return text, [note.what for note in written.notes if note.cell == "proximal-scipy"]


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


@pytest.mark.parametrize(
    "outputs",
    [
        [stream("".join(f"line {n}\n" for n in range(500)))],
        [each for n in range(500) for each in (stream(f"line {n}\n"), stream(f"\r{n / 5} %", "stderr"))],
    ],
    ids=["in one", "in turns with a progress bar"],
)
def test_of_a_long_output_the_start_and_the_end_are_shown(outputs):
    text, notes = with_outputs(*outputs)
    assert notes == ["only 120 of the 500 lines that it prints are shown"]
    shown = [int(number) for number in re.findall(r"^line (\d+)$", text, re.M)]
    assert shown == [*range(80), *range(460, 500)]
    assert "[380 lines are left out]" in text


def test_lines_are_counted_as_they_are_wrapped():
    _, notes = with_outputs(stream("".join(f"{n:<500}|\n" for n in range(50))))
    assert notes == ["only 120 of the 250 lines that it prints are shown"]


def test_a_long_line_is_cut():
    text, notes = with_outputs(stream("a" * 5000 + "\nthe end\n"))
    assert notes == ["only 1000 characters are shown of 1 line that is longer"]
    assert re.sub(r"[\s↪]", "", text).count("a" * 1000 + "[4000charactersareleftout]theend") == 1


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("".join(f"\r{n} of 2000" for n in range(2001)) + "\n", "2000 of 2000"),
        ("abc\b\bX\n", "aXc"),
        ("a long line\rshort\x1b[K\n", "short"),
        ("one\ntwo\x1b[1A\x1b[2K\rfirst\nsecond\n", "first\nsecond"),
        ("\x1b[31mred\x1b[0m and \x1b]8;;http://x\x1b\\a link\x1b]8;;\x1b\\\n", "red and a link"),
    ],
    ids=["progress", "backspace", "erased", "cursor", "colours"],
)
def test_a_page_shows_what_a_terminal_would(printed, shown):
    text, notes = with_outputs(stream(printed))
    assert notes == []
    assert re.search(rf"^{shown}$", text, re.M)


def test_what_cannot_be_written_stops_nothing(root):
    path = root / "notebooks" / "1_gradient_descent.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] == "proximal-proof":
            cell["source"] = "a half \ud800 of a pair"
        if cell["id"] == "proximal-scipy":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "\udfff bell\x07 nul\x00\n"}]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    written = write_up.write({path.stem: notebooks.read(path)}, ADA, root)
    said = [(note.cell, note.what) for note in written.notes]
    assert said == [
        ("proximal-scipy", "control characters are left out: ‹U+0000› ‹U+0007›"),
        ("proximal-proof", "half a character is written as ‹U+D800›"),
        ("proximal-scipy", "half a character is written as ‹U+DFFF›"),
    ]
    assert "a half ‹U+D800› of a pair" in page_texts(written.content, 1, 1)[0]


def test_wide_characters_stay_on_the_page():
    lines = prose.wrapped("中" * 200 + "e\u0301" * 200)
    assert [len(line) for line in lines[:3]] == [51, 52, 52]
    assert "".join(lines).replace("↪ ", "") == "中" * 200 + "e\u0301" * 200
    text, _ = with_outputs(stream("中" * 200))
    assert re.sub(r"[\s↪\u200b]", "", text).count("中") in (0, 200)


def test_what_an_object_looks_like_is_shown_instead_of_its_address():
    def display(**data):
        data = {kind.replace("_", "/"): value for kind, value in data.items()}
        return nbformat.v4.new_output("display_data", data)

    html = "<table><tr><td>cell 17</td></tr></table>"
    text, notes = with_outputs(
        display(text_plain="<IPython.core.display.HTML object>", text_html=html),
        display(text_plain="   a\n0  18", text_html="<div>not this</div>"),
        display(text_plain="<IPython.core.display.Javascript object>", application_javascript="alert(1)"),
    )
    assert "cell 17" in text
    assert "0  18" in text or "0 18" in text
    assert "object>" not in text
    assert "not this" not in text
    assert notes == ["an output of the kind application/javascript is not shown"]


def test_a_cell_that_typst_refuses_is_shown_as_typed(monkeypatch):
    convert = prose.convert

    def broken(source, *others):
        return "#nonsense(" if "REFUSED" in source else convert(source, *others)

    monkeypatch.setattr(prose, "convert", broken)
    _, text, (note,) = with_answer("an answer, REFUSED")
    assert "an answer, REFUSED" in text
    assert note.startswith("it cannot be set (")


def test_random_markdown_is_set_or_named():
    rng = np.random.default_rng(0)
    pieces = [
        "$",
        "$$",
        "\\frac{a}{b}",
        "<b>",
        "</b>",
        "<div>",
        "[",
        "](",
        ")",
        "![",
        "`",
        "```\n",
        "* ",
        "# ",
        "\n\n",
        "| a |",
    ]
    pieces += [
        "\\begin{align}",
        "\\end{align}",
        "&",
        "\\\\",
        "_",
        "^",
        "{",
        "}",
        "<!--",
        "-->",
        '"',
        "#",
        "@",
        "word ",
        "中",
        "\\",
    ]
    for _ in range(12):
        source = "".join(rng.choice(pieces, 40)) + "\n\nlast-word"
        written, text, notes = with_answer(source)
        assert written.pages
        assert "last-word" in text or notes, source


def test_pages_that_are_not_as_they_must_be_are_found(made):
    with pytest.raises(ValueError, match="begin on a page of its own"):
        pdf_pages.page_map(made.content, {"Problem 7": "Problem 7"})
    with pytest.raises(ValueError, match="should carry the words"):
        pdf_pages.page_map(made.content, {"Problem 1": "Problem 1"})


def alternatives(content):
    """Return the texts that a PDF gives for its pictures, as a screen reader finds them."""

    def below(node):
        node = node.get_object()
        if isinstance(node, list):
            for each in node:
                yield from below(each)
        elif isinstance(node, dict):
            yield from [str(node["/Alt"])] if "/Alt" in node else []
            yield from below(node["/K"]) if "/K" in node else []

    return list(below(pdf_pages.open_pdf(content).trailer["/Root"]["/StructTreeRoot"]))


def test_the_words_of_a_picture_are_in_the_pdf(tmp_path):
    written, _, notes = with_answer(f'![The "loss" # falls](data:image/png;base64,{png()})')
    assert notes == []
    assert 'The "loss" # falls' in alternatives(written.content)

    notebook = all_notebooks()["3_two_layer_net"]
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if "image/png" in output.get("data", {}):
            output.metadata = {"image/png": {"alt": 'Ends at "0.125" \\ #x'}}
    written = write_up.write({"3_two_layer_net": notebook}, ADA, ROOT)
    assert 'Ends at "0.125" \\ #x' in alternatives(written.content)

    described = PngImagePlugin.PngInfo()
    described.add_text("Description", "of a run")
    stream = io.BytesIO()
    Image.new("RGB", (2, 2)).save(stream, "PNG", pnginfo=described)
    assert 'alt: "of a run"' in Pictures(tmp_path / "pictures").place(stream.getvalue())
