"""Cells in another order, and cells that run twice: the right result, or an error that names what is missing."""
import ast
import builtins
import random
import symtable
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient

NBS = Path(__file__).resolve().parents[1] / "nbs"
CHAPTERS = sorted(path.stem for path in NBS.glob("[0-9]*.ipynb"))
CHEAP = ("03_patches",)


def code(chapter: str) -> list:
    """The code cells that run without being asked for."""
    return [cell for cell in nbformat.read(NBS / f"{chapter}.ipynb", as_version=4).cells if cell.cell_type == "code" and not cell.source.startswith(("#| slow", "#| default_exp"))]


def run(cells: list) -> list:
    """What the cells show when they run in this order in a new kernel, whatever fails."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.source) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=1200, allow_errors=True, resources={"metadata": {"path": str(NBS)}}).execute()
    return [cell.outputs for cell in notebook.cells]


def printed(outputs: list) -> str: return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


def errors(outputs: list) -> list[str]: return [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]


def names(cell) -> tuple[set[str], set[str]]:
    """The names a cell makes, and those it reads from other cells, inside its functions too."""
    made, read = set(), set()
    def look(table):
        for symbol in table.get_symbols():
            if table.get_type() == "module" and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()): made.add(symbol.get_name())
            elif table.get_type() == "module" or symbol.is_global(): read.add(symbol.get_name())
        for inner in table.get_children(): look(inner)
    look(symtable.symtable(cell.source, "cell", "exec"))
    return made, read - made


@pytest.mark.fault(16)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_a_cell_reads_is_made_by_one_other_cell(chapter):
    """So the order of cells decides whether a name is there, never what it means."""
    cells = [names(cell) for cell in code(chapter)]
    makers = Counter(name for made, _ in cells for name in made)
    assert not {name for _, read in cells for name in read if makers[name] > 1}


def half_made(cell) -> set[str]:
    """Names that the cell begins with an empty list or dictionary before it reads everything it needs from other cells: without those, they stay empty."""
    body, found = ast.parse(cell.source).body, set()
    for i, node in enumerate(body):
        if not isinstance(node, ast.Assign): continue
        target, value = node.targets[0], node.value
        pairs = zip(target.elts, value.elts) if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) else [(target, value)]
        before, after = (names(SimpleNamespace(source="\n".join(map(ast.unparse, part))))[1] for part in (body[:i + 1], body[i + 1:]))
        found |= {name.id for name, start in pairs if isinstance(name, ast.Name) and ast.unparse(start) in ("[]", "{}") and after - before - names(cell)[0] - set(dir(builtins))}
    return found


@pytest.mark.fault(16)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_cell_that_lacks_a_name_leaves_nothing_half_made(chapter):
    cells = code(chapter)
    read = {id(cell): names(cell)[1] for cell in cells}
    assert not {name for cell in cells for name in half_made(cell) if any(name in read[id(other)] for other in cells if other is not cell)}


@pytest.mark.fault(16)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_in_a_new_kernel_a_cell_works_or_names_what_is_missing(chapter, cases, request):
    if chapter not in CHEAP and not request.config.getoption("--long"): pytest.skip("--long tries every chapter")
    for seed in range(cases(2, 5)):
        order = code(chapter)
        random.Random(seed).shuffle(order)
        for cell, outputs in zip(order, run(order)):
            assert all(error.startswith("NameError: name '") for error in errors(outputs)), (seed, cell.source[:100], errors(outputs))


@pytest.mark.fault(16)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_cells_that_run_again_in_another_order_show_the_same(chapter, cases, request):
    """Cells whose printed words are those in the repository have no clock and no chance in them: they must print the same again. (But a hint is the next one each time.)"""
    if not request.config.getoption("--long"): pytest.skip("--long tries every chapter")
    cells = code(chapter)
    order = [cell for seed in range(cases(1, 5)) for cell in random.Random(seed).sample(cells, len(cells))]
    shown = run([*cells, *order])
    steady = {cell.id for cell, outputs in zip(cells, shown) if printed(outputs) == printed(cell.outputs) and "hint(" not in cell.source}
    for cell, outputs in zip(order, shown[len(cells):]):
        assert not errors(outputs), (cell.source[:100], errors(outputs))
        if cell.id in steady: assert printed(outputs) == printed(cell.outputs), cell.source[:100]
