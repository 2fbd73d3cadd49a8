# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The report in a real browser, where one is installed: it is drawn, and nothing is wider than the window."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_data import full_report

from monai_srgan.report import render_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome is installed")

# The page stands in a frame of the tested width, since a browser's own window has a minimum width.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><title>waiting</title>
<iframe id="frame" style="width:{width}px;height:900px;border:0" srcdoc="{page}"></iframe>
<script>
addEventListener("load", () => {{
  const page = document.getElementById("frame").contentDocument;
  page.querySelectorAll("details").forEach(d => d.open = true);
  const boxes = [...page.querySelectorAll("main *")].filter(e => !e.closest(".scroll, svg"));
  document.title = JSON.stringify({{
    width: page.scrollingElement.scrollWidth,
    window: page.defaultView.innerWidth,
    wide: boxes.filter(e => e.getBoundingClientRect().right > {width} + 0.5).map(e => e.className || e.tagName),
    broken: [...page.images].filter(i => !i.complete || i.naturalWidth === 0).length,
    images: page.images.length,
    outlines: [...page.querySelectorAll("use")].filter(u => u.getBoundingClientRect().width > 0).length,
    tables: [...page.querySelectorAll(".scroll")].map(s => s.scrollWidth - s.clientWidth),
  }});
}});
</script>"""


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(full_report())


def browse(folder: Path, *arguments: str) -> str:
    """Run the browser without a network and without the user's profile; return what it prints."""
    command = [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    command += [f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND"]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_drawn_in_its_window(page: str, tmp_path: Path, width: int) -> None:
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    address = (tmp_path / "report.html").as_uri()
    browse(tmp_path, f"--window-size={width},1000", f"--screenshot={tmp_path / 'shot.png'}", address)
    with Image.open(tmp_path / "shot.png") as picture:
        assert picture.size == (width, 1000)
        pixels = np.asarray(picture.convert("L"))
    assert pixels[:, 0].min() == pixels[:, -1].min() == 255  # white margins
    assert (pixels < 128).any(axis=1).mean() > 0.1  # lines of text
    assert (pixels[500:] < 128).any()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window_and_all_pictures_are_drawn(page: str, tmp_path: Path, width: int) -> None:
    probe = PROBE.format(width=width, page=html.escape(page))
    (tmp_path / "probe.html").write_text(probe, encoding="utf-8")
    address = (tmp_path / "probe.html").as_uri()
    found = browse(tmp_path, "--virtual-time-budget=10000", "--window-size=1400,1000", "--dump-dom", address)
    title = re.search(r"<title>(.*?)</title>", found)
    assert title is not None
    measured = json.loads(html.unescape(title[1]))
    assert measured["window"] == width
    assert measured["width"] <= width
    assert measured["wide"] == []
    assert measured["broken"] == 0
    assert measured["images"] > 100
    assert measured["outlines"] > 50
    # wide tables scroll in their own box, on a narrow screen
    assert (max(measured["tables"]) > 0) == (width == 390)
