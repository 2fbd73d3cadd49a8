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


def test_the_nine_numbers_are_those_of_the_results_page_inside_the_tumor() -> None:
    table = {row[0].split(",")[0].split(" (")[0]: row[1:] for row in rows(README.read_text(encoding="utf-8"))}
    assert table[""] == ["bicubic", "SRResNet", "SRGAN"]
    results = rows((ROOT / "docs" / "explanation" / "results.md").read_text(encoding="utf-8"))
    header = next(row for row in results if row[:2] == ["region", "method"])
    start = next(number for number, row in enumerate(results) if row[0].startswith("inside the tumo"))
    end = next(number for number in range(start + 1, len(results)) if results[number][0])
    by_method = {row[1]: dict(zip(header, row, strict=True)) for row in results[start:end]}
    for metric in ("PSNR", "SSIM", "ST-LPIPS"):
        told = dict(zip(table[""], table[metric], strict=True))
        assert told == {name: by_method[name][metric].split(" ")[0] for name in told}


def test_the_readme_is_short_and_names_what_its_numbers_depend_on() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    for setting in ("bfloat16", "fold 0 of 5 by patient", "seed 0", "30 test patients", "11 x 11, sigma 1.5"):
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
