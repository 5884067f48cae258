"""The claims page: every row of data/results/claims.json has a source and names records that exist, and the page shows the verdicts of today."""
import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "data" / "results"
CLAIMS = json.loads((RESULTS / "claims.json").read_text(encoding="utf-8"))
NOTEBOOK = nbformat.read(ROOT / "nbs" / "claims.ipynb", as_version=4)
MEASURED = [claim for claim in CLAIMS if "records" in claim]
AWAITED = {"framing"}   # files that their chapters will write
RULED = [claim for claim in MEASURED if "holds" in claim]


def name(claim): return claim["id"]


@pytest.fixture(scope="module")
def page() -> dict:
    """What the cells of the page define, its pictures left out."""
    space = {}
    for cell in NOTEBOOK.cells:
        if cell.cell_type == "code" and "strips(" not in cell.source: exec(compile(cell.source, "claims.ipynb", "exec"), space)
    return space


def test_ids_differ():
    assert len({claim["id"] for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS, ids=name)
def test_a_row_has_a_claim_a_source_and_an_experiment_or_a_plan(claim):
    assert claim["theme"] and claim["claim"] and claim["sources"]
    assert ("experiment" in claim and "records" in claim) != ("plan" in claim)
    for source in claim["sources"]:
        assert source["in"] in {"report", "review"} and source["section"]
        assert 2 <= len(source["words"].split()) <= 10, "a few words to search for, not a quotation"
        assert ("page" in source) == (source["in"] == "review")


@pytest.mark.parametrize("claim", MEASURED, ids=name)
def test_named_records_exist(claim):
    for key in claim["records"].values():
        stem, id = key.split("/")
        path = RESULTS / f"{stem}.json"
        assert path.exists() or stem in AWAITED, key
        assert not path.exists() or id in {record["id"] for record in json.loads(path.read_text(encoding="utf-8"))}, key


@pytest.mark.parametrize("claim", MEASURED, ids=name)
def test_a_verdict_has_a_rule_or_a_reason(claim):
    ruled, argued = {"holds", "part"} <= set(claim), {"verdict", "because"} <= set(claim)
    assert ruled != argued
    if argued: assert claim["because"].endswith(".")


@pytest.mark.parametrize("claim", RULED, ids=name)
def test_rules_speak_of_the_records_alone(claim):
    allowed = (ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.cmpop, ast.BinOp, ast.operator, ast.Attribute, ast.Name, ast.Load, ast.Constant, ast.Call)
    for rule in (claim["holds"], claim["part"]):
        tree = list(ast.walk(ast.parse(rule, mode="eval")))
        assert all(isinstance(node, allowed) for node in tree), rule
        assert {node.attr for node in tree if isinstance(node, ast.Attribute)} <= {"value", "low", "high"}
        assert {node.id for node in tree if isinstance(node, ast.Name)} <= {*claim["records"], "min", "max"}


@pytest.mark.parametrize("claim", RULED, ids=name)
def test_what_holds_holds_in_part(claim, page):
    """The rule for "in part" is the weaker one: it must not fail where the rule for "holds" is met."""
    if page["verdict"](claim, page["records"]) == "holds":
        assert page["verdict"](claim | dict(holds=claim["part"]), page["records"]) == "holds"


@pytest.mark.parametrize("claim", CLAIMS, ids=name)
def test_a_verdict_is_one_of_four(claim, page):
    found = page["verdict"](claim, page["records"])
    assert found in page["VERDICTS"]
    assert found == "not yet measured" or all(key in page["records"] for key in claim["records"].values())


def test_a_row_takes_up_a_record_when_it_is_there(page):
    framing = next(claim for claim in CLAIMS if claim["id"] == "claim_framing")
    far, near, level = ({key: dict(value=value, interval=[value - 3, value + 3]) for key, value in zip(framing["records"].values(), pair)} for pair in ((90, 60), (62, 60), (60, 60)))
    assert [page["verdict"](framing, records) for records in ({}, far, near, level)] == ["not yet measured", "holds", "holds in part", "does not hold at this size"]


def test_the_page_shows_the_verdicts_and_figures_of_today(page, monkeypatch):
    monkeypatch.chdir(ROOT / "nbs")   # where the page looks for chapters to link to
    stored = "".join(output.data.get("text/html", "") for cell in NOTEBOOK.cells for output in cell.get("outputs", []) if "data" in output)
    stored = re.sub(r'<tr class="picture".*?</tr>', "", stored, flags=re.S)
    for theme in dict.fromkeys(claim["theme"] for claim in CLAIMS):
        assert page["table"](theme)._repr_html_() in stored, f"{theme}: run make readme"
    assert page["said"] in stored, "run make readme"
