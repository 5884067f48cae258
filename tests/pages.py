"""Pages made from notebooks: `python tests/pages.py README.md` and `python tests/pages.py out/docs` (Quarto is not needed)."""
import re
import sys
from pathlib import Path

from nbconvert import HTMLExporter, MarkdownExporter

ROOT = Path(__file__).resolve().parents[1]
NBS = ROOT / "nbs"


def readme() -> str:
    """README.md: the prose and outputs of nbs/index.ipynb, with its links as seen from the root of the repository."""
    text, resources = MarkdownExporter(exclude_input=True).from_filename(str(NBS / "index.ipynb"))
    if resources["outputs"]:
        raise ValueError("nbs/index.ipynb holds a picture inside an output; write it to data/results and link to it")
    text = re.sub(r"\]\((?=[\w-]+\.ipynb)", "](nbs/", text)
    text = re.sub(r"\]\(\.\./", "](", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html(path: Path) -> str:
    """One chapter as an HTML page; its pictures are inside it and its links lead to other pages."""
    page, _ = HTMLExporter(embed_images=True).from_filename(str(path))
    return re.sub(r'href="([\w./-]+)\.ipynb', r'href="\1.html', page)


def main(target: str) -> None:
    if target.endswith(".md"):
        (ROOT / target).write_text(readme(), encoding="utf-8", newline="\n")
        return print(f"wrote {target}")
    folder = ROOT / target
    for path in sorted([*NBS.glob("*.ipynb"), *(NBS / "checks").glob("*.ipynb")]):
        page = (folder / path.relative_to(NBS)).with_suffix(".html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html(path), encoding="utf-8", newline="\n")
    print(f"open {folder / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1])
