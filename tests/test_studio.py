"""Widgets in the real browser (`make widgets`): JupyterLab runs each notebook that has one, a key moves its control, the picture follows."""
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from sora_edu.studio import Latest, play
from sora_edu.video import Shown

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def with_widget() -> list[Path]:
    """Notebooks with a call of `play` in their code."""
    def plays(path): return any(c["cell_type"] == "code" and "\nplay(" in "\n" + "".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"])
    return [path for path in sorted((ROOT / "nbs").glob("*.ipynb")) if plays(path)]


# --- without a browser ---------------------------------------------------------------------------

def test_stills_are_spread_over_the_values():
    page = play(lambda n: Shown(f"<i>{n}</i>", ""), n=range(10))._repr_html_()
    assert [f"<i>{n}</i>" in page for n in range(10)] == [n in (0, 4, 9) for n in range(10)]


@pytest.mark.parametrize("controls", [{}, {"n": []}, {"n": [1], "text": ""}])
def test_a_control_without_values_is_refused(controls):
    with pytest.raises(ValueError, match="controls: expected"): play(lambda **_: None, **controls)


@pytest.mark.fault(18)
def test_errors_and_labels_are_text_not_markup():
    def refuse(text): raise ValueError(text)
    page = play(refuse, text="<img src=x onerror=alert(1)>")._repr_html_()
    assert "<img" not in page and "&lt;img" in page


@pytest.mark.fault(15)
def test_two_hundred_moves_in_a_second_cost_two_pictures():
    drawn, values = [], iter(range(200))
    async def hand():
        latest = Latest(lambda: drawn.append(now), rest=1.)   # longer than any pause of a busy machine
        for now in values:
            latest()
            await asyncio.sleep(.005)
        await asyncio.sleep(1.5)
    asyncio.run(hand())
    assert drawn == [0, 199]


@pytest.mark.fault(16)
@pytest.mark.parametrize("missing, line", [("x", "x, y = 1, 2"), ("count", "def count(): pass"), ("np", "import numpy as np"), ("nobody", None)])
def test_a_missing_name_is_explained(missing, line, tmp_path, monkeypatch):
    cells = ["from sora_edu.studio import play", missing, "#| hide\nx, y = 1, 2", "def count(): pass", "import numpy as np", "%time y"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(notebook, tmp_path / "chapter.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "chapter.ipynb"))
    NotebookClient(notebook, kernel_name="python3", allow_errors=True).execute()
    kinds = [out.output_type for out in notebook.cells[1].outputs]
    said = "".join(out.get("text", "") for out in notebook.cells[1].outputs)
    assert "error" in kinds and (f"begins with\n\n    {line}\n" in said if line else not said)


# --- with a browser ------------------------------------------------------------------------------

@contextmanager
def jupyter(folder: Path):
    """JupyterLab on a copy of the notebooks in `folder`; gives its address."""
    shutil.copytree(ROOT / "nbs", folder / "nbs", ignore=shutil.ignore_patterns("out", ".*"))
    (folder / "data").symlink_to(ROOT / "data", target_is_directory=True)
    settings = folder / "settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}')                           # cells out of sight exist, too
    with socket.socket() as free: free.bind(("127.0.0.1", 0)); port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0",
                               f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", "--IdentityProvider.token=", "--ServerApp.password="], cwd=folder,
                              env=os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try: urllib.request.urlopen(f"{address}/api/status", timeout=1); break
            except OSError: time.sleep(.5)
        yield address
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def chromium():
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    if not CHROMIUM or not os.environ.get("SORA_EDU_BROWSER"): pytest.skip("needs chromium, and SORA_EDU_BROWSER=1 as `make widgets` sets it")
    with jupyter(tmp_path_factory.mktemp("lab")) as address: yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened: yield opened


PANEL = "jupyterapp.shell.currentWidget"
COUNTS = f"[...{PANEL}.content.model.cells].filter(c => c.type == 'code').map(c => c.executionCount)"
ERROR = '[data-mime-type="application/vnd.jupyter.error"]'


def run_all(page, address: str, path: Path) -> None:
    """Open a notebook, run all its cells once its kernel has answered (before, JupyterLab silently runs nothing), and find no error."""
    page.goto(f"{address}/lab/tree/nbs/{path.name}?reset")
    page.wait_for_function(f"""window.jupyterapp && (kernel => kernel?.connectionStatus == 'connected' && kernel.status == 'idle')(
        {PANEL}?.sessionContext?.isReady && {PANEL}.sessionContext.session?.kernel)""", timeout=120_000)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(f"{COUNTS}.every(n => n) && {PANEL}.sessionContext.session.kernel.status == 'idle' || document.querySelector('{ERROR}')", timeout=200_000)
    failed = page.locator(ERROR)
    assert failed.count() == 0, failed.first.inner_text()


def press(page, box, *keys: str) -> tuple[float, int]:
    """Press keys on the first slider of a widget; gives the milliseconds until its picture changed first, and how often it was drawn in all."""
    picture = box.locator(".widget-html-content").last.element_handle()
    box.locator(".noUi-handle").first.focus()
    page.evaluate("""node => { window.drawn = []; window.begin = 0
        document.addEventListener('keydown', () => window.begin ||= performance.now(), {capture: true, once: true})
        const changed = now => { if (!(now - window.drawn.at(-1) < 50)) window.drawn.push(now) }   // one picture can change the page twice
        new MutationObserver(() => changed(performance.now() - window.begin))
            .observe(node, {childList: true, subtree: true}) }""", picture)
    for key in keys: page.keyboard.press(key)
    page.wait_for_function("window.drawn.length", timeout=30_000)
    page.wait_for_timeout(1500)
    drawn = page.evaluate("window.drawn")
    return drawn[0], len(drawn)


@pytest.mark.parametrize("path", with_widget(), ids=lambda path: path.stem)
def test_a_key_moves_the_picture(path, lab, browser):
    page, noise = browser.new_page(), []
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("console", lambda said: noise.append(said.text) if said.type == "error" and "Failed to load resource" not in said.text else None)
    run_all(page, lab, path)
    boxes = page.locator(".jp-OutputArea .widget-vbox").all()
    assert boxes
    for box in boxes:
        before = box.locator(".widget-html-content").last.inner_html()
        press(page, box, "ArrowRight")
        after = box.locator(".widget-html-content").last.inner_html()
        assert after != before and 'role="alert"' not in after
        assert press(page, box, *["ArrowLeft", "ArrowRight"] * 5)[1] <= 2, "quick moves must not be drawn one by one"
    assert page.locator("text=Error displaying widget").count() == 0
    assert not noise
    page.close()
