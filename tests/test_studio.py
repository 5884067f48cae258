"""Widgets in the real browser: JupyterLab runs each notebook that has one, a key moves its control, the picture follows."""
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from sora_edu.studio import play
from sora_edu.video import Shown

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def with_widget() -> list[Path]:
    """Notebooks with a call of `play` in their code."""
    def plays(path): return any(c["cell_type"] == "code" and "\nplay(" in "\n" + "".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"])
    return [path for path in sorted((ROOT / "nbs").glob("*.ipynb")) if plays(path)]


# --- without a browser ---------------------------------------------------------------------------

def test_stills_are_spread_over_the_values():
    page = play(lambda n: Shown(f"<i>{n}</i>", ""), n=range(10), stills=4)._repr_html_()
    assert [f"<i>{n}</i>" in page for n in range(10)] == [n in (0, 3, 6, 9) for n in range(10)]


@pytest.mark.parametrize("controls", [{}, {"n": []}, {"n": [1], "text": ""}])
def test_a_control_without_values_is_refused(controls):
    with pytest.raises(ValueError, match="controls: expected"): play(lambda **_: None, **controls)


def test_errors_and_labels_are_text_not_markup():
    def refuse(text): raise ValueError(text)
    page = play(refuse, text="<img src=x onerror=alert(1)>")._repr_html_()
    assert "<img" not in page and "&lt;img" in page


# --- with a browser ------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the notebooks; gives its address."""
    if not CHROMIUM: pytest.skip("needs chromium")
    folder, settings = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")
    shutil.copytree(ROOT / "nbs", folder / "nbs", ignore=shutil.ignore_patterns("out", ".*"))
    (folder / "data").symlink_to(ROOT / "data", target_is_directory=True)
    (settings / "@jupyterlab/notebook-extension").mkdir(parents=True)          # cells out of sight exist, too
    (settings / "@jupyterlab/notebook-extension/tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as free: free.bind(("127.0.0.1", 0)); port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0",
                               f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--ServerApp.password="], cwd=folder,
                              env=os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(settings)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try: urllib.request.urlopen(f"{address}/api/status", timeout=1); break
            except OSError: time.sleep(.5)
        yield address
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def run_all(page, address: str, path: Path) -> None:
    """Open a notebook, run all its cells, wait for the last, and find no error."""
    page.goto(f"{address}/lab/tree/nbs/{path.name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_selector('[data-status="idle"], .jp-NotebookPanel-toolbar', timeout=60_000)
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
    last = page.locator(".jp-CodeCell").last
    last.locator('.jp-InputPrompt:has-text("[*]"), .jp-InputPrompt:text-matches("[0-9]+")').first.wait_for(timeout=60_000)
    page.wait_for_function("""() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(p => !p.textContent.includes('*'))
        && /\\d/.test([...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].at(-1).textContent)""", timeout=240_000)
    failed = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert failed.count() == 0, failed.first.inner_text()


@pytest.mark.parametrize("path", with_widget(), ids=lambda path: path.stem)
def test_a_key_moves_the_picture(path, lab, browser):
    page, noise = browser.new_page(), []
    page.on("pageerror", lambda error: noise.append(str(error)))
    run_all(page, lab, path)
    for box in page.locator(".jp-OutputArea .widget-vbox").all():
        picture, handle = box.locator(".widget-html-content").last, box.locator(".noUi-handle").first
        before = picture.inner_html()
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("([node, before]) => node.innerHTML != before", arg=[picture.element_handle(), before], timeout=20_000)
        assert 'role="alert"' not in picture.inner_html()
        page.evaluate("node => { window.drawn = 0; new MutationObserver(() => window.drawn++).observe(node, {childList: true}) }", picture.element_handle())
        for key in ["ArrowLeft", "ArrowRight"] * 5: page.keyboard.press(key)
        page.wait_for_timeout(3000)
        assert page.evaluate("window.drawn") <= 3, "quick moves must not be drawn one by one"
    assert page.locator(".jp-OutputArea .widget-vbox").count() > 0
    assert page.locator("text=Error displaying widget").count() == 0
    assert not noise
    page.close()
