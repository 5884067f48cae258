"""How long a widget takes to follow a key: python tests/bench/widgets.py [03 …]

JupyterLab in headless Chromium runs each notebook with a widget. Writes `widget_ms_<notebook>_<number>`, the median of the times from the key to the new
picture, into data/results/widgets.json."""
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from sora_edu.evaluation import record
from test_studio import chromium, jupyter, press, run_all, with_widget

MOVES = 8


def main(*chapters: str) -> None:
    with tempfile.TemporaryDirectory() as folder, jupyter(Path(folder) / "lab") as address, chromium() as browser:
        for path in with_widget():
            if chapters and path.stem[:2] not in chapters: continue
            page = browser.new_page()
            run_all(page, address, path)
            for number, box in enumerate(page.locator(".jp-OutputArea .widget-vbox").all()):
                taken = [press(page, box, "ArrowLeft" if i % 2 else "ArrowRight")[0] for i in range(MOVES)]
                print(f"{path.stem:20} {number}  {statistics.median(taken):6.0f} ms", flush=True)
                record("widgets", f"widget_ms_{path.stem}_{number}", statistics.median(taken), "ms", MOVES, None, "python tests/bench/widgets.py")
            page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
