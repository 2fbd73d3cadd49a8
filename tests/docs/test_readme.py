# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The README's table agrees with the results page, and every command line of the documentation is valid."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from monai_srgan.cli.main import build_parser

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted([README, *(ROOT / "docs").rglob("*.md"), ROOT / "bundle" / "docs" / "README.md"])


def rows(text: str) -> list[list[str]]:
    """Cells of all table rows."""
    return [
        [cell.strip(" *") for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_the_table_is_that_of_the_results_page() -> None:
    table = rows(README.read_text(encoding="utf-8"))
    header, *told = table[next(number for number, row in enumerate(table) if row[0] == "LR made by") :]
    assert header == ["LR made by", "bicubic", "SRResNet", "SRGAN", "declined"]
    results = rows((ROOT / "docs" / "explanation" / "results.md").read_text(encoding="utf-8"))
    start = next(number for number, row in enumerate(results) if row[:3] == ["LR made by", "method", "head, told"])
    width = len(results[start])
    by_row = [dict(zip(results[start], row, strict=True)) for row in results[start + 2 :] if len(row) == width]
    found = {}
    for bicubic, srresnet, srgan in zip(by_row[::3], by_row[1::3], by_row[2::3], strict=True):
        estimated = (method["estimated"] for method in (srresnet, srgan))
        found[bicubic["LR made by"]] = [bicubic["head, told"], *estimated, srresnet["declined of 139"]]
    assert len(told) == 6  # with the line below the header
    for name, *numbers in told[1:]:
        assert numbers == found[name]


def test_the_readme_is_short_and_names_what_its_numbers_depend_on() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    for setting in ("float32", "fold 0 of 5 by patient", "seed 0", "30 test patients", "sigma 1.5 HR"):
        assert setting in text


def command_lines() -> list[str]:
    """Lines of code blocks in the documentation and on the demo's page that start with the command."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "monai_srgan" / "cli").rglob("*.html")]
    found = {line for text in texts for line in re.findall(r"^ *(?:<pre>)?(monai-srgan [^<\n]+)", text, re.MULTILINE)}
    return sorted(line for line in found if "--help" not in line)


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_of_the_documentation_is_valid(line: str) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    assert build_parser().parse_args(arguments).command == arguments[0]


def test_the_examples_of_the_help_are_valid() -> None:
    parser = build_parser()
    lines = re.findall(r"^  (monai-srgan .+?)(?:  .*)?$", parser.epilog or "", re.MULTILINE)
    (commands,) = (action for action in parser._actions if action.dest == "command")
    for command in commands.choices.values():
        lines += re.findall(r"^  (monai-srgan .+)$", command.epilog or "", re.MULTILINE)
    assert len(lines) > 10
    for line in lines:
        if "--help" not in line:
            assert parser.parse_args(shlex.split(line)[1:]).command
