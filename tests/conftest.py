"""`@pytest.mark.fault(5)` puts a test into row 5 of the faults that `tests/bench/faults.py` counts; `--long` tries as many cases as that command."""
import pytest


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="try many more cases of each fault")


def pytest_configure(config):
    config.addinivalue_line("markers", "fault(row): a fault that must be held, counted by tests/bench/faults.py")


@pytest.fixture
def cases(request, record_property):
    """`cases(few, many)` is how many cases a test tries; the count of faults reads it from the report."""
    def choose(few: int, many: int) -> int:
        n = many if request.config.getoption("--long") else few
        record_property("cases", n)
        return n
    return choose
