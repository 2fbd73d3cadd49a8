# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Results of a benchmark as a table in Markdown and as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_srgan.files import write_atomically

__all__ = ["print_table", "save_json"]


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table whose columns are aligned, so that it reads well in a terminal too.

    Args:
        title: a line above the table.
        columns: heads of the columns; the first one is left-aligned, the others right-aligned.
        rows: cells, as many per row as there are columns.
    """
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print(f"\n{title}\n")
    for cells in (columns, rule, *rows):
        padded = [cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]
        print(f"| {' | '.join(padded)} |")


def save_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whose folder is created if needed; values that JSON does not know become text."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, default=str) + "\n"
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))
