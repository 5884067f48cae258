"""Versions to test with: `python tests/versions.py lowest` prints the lowest version that settings.ini allows of each library, as pip's constraints; `newest` prints none."""
import re
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def ranges(*extras: str) -> list[str]:
    """The lines of settings.ini: what the package needs, and what the extras "dev" and "test" add."""
    config = ConfigParser()
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return [line for key in ("requirements", *(f"{extra}_requirements" for extra in extras)) for line in config["DEFAULT"][key].split("\n")[1:]]


def lowest() -> list[str]:
    found = [re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\d.]+).*", line) for line in ranges()]
    return [f"{match[1]}=={match[2]}" for match in found]


if __name__ == "__main__":
    if sys.argv[1] == "lowest": print("\n".join(lowest()))
