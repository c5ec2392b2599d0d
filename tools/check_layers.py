#!/usr/bin/env python3
"""Finds includes against the levels of ARCHITECTURE.md: a folder of src/ may include its own files, lower levels, and include/lanthorn.

    check_layers.py [SOURCE_FOLDER]      # prints every finding; exit 1 when there is one
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def levels() -> dict[str, int]:
    """The level of each folder, as the table in ARCHITECTURE.md says it."""
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    return {folder: int(level) for level, folder in rows}


def findings(src: Path) -> list[str]:
    rank, found = levels(), []
    paths = [path for path in sorted(src.rglob("*")) if path.suffix in (".h", ".cpp") and not path.stem.endswith("_test")]
    for path in paths:
        here = path.relative_to(src).parts[0]
        where = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        if here not in rank:
            found.append(f"{where}: src/{here} has no level in ARCHITECTURE.md")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            target = match[1].split("/")[0] if match else here
            if target in (here, "lanthorn") or target not in rank or rank[target] < rank[here]:
                continue  # a name that is no folder of src/ is another library's
            found.append(f"{where}:{number}: src/{here} (level {rank[here]}) may not include {match[1]} (level {rank[target]})")
    for path in sorted((src.parent / "include").rglob("*.h")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and not match[1].startswith("lanthorn/"):
                found.append(f"{path.relative_to(src.parent)}:{number}: a public header may not include {match[1]}")
    return found


if __name__ == "__main__":
    wrong = findings(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "src")
    print("\n".join(wrong) or "every include goes down")
    sys.exit(1 if wrong else 0)
