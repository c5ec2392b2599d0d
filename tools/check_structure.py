#!/usr/bin/env python3
"""Checks the order in the house. Prints `ok` or `FAIL` for each rule with every finding, then `N passed, N failed`."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import check_layers

ROOT = check_layers.ROOT
MOST_LINES = 500
LONG_FILES = ROOT / "tools" / "long_files.txt"
SOURCES = (".h", ".cpp", ".py", ".sh", ".cmake")


def files() -> list[Path]:
    """What git knows or would add, as paths below the root; all that is there where this is no checkout or there is no git."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
        if listed.returncode == 0:
            return [Path(path) for path in listed.stdout.splitlines() if (ROOT / path).is_file()]
    made = {"build", "__pycache__", ".venv", ".git"}
    return [path for path in (found.relative_to(ROOT) for found in sorted(ROOT.rglob("*")) if found.is_file()) if not made & set(path.parts)]


def text(path: Path) -> str:
    return (ROOT / path).read_text(errors="replace")


def code(path: Path) -> str:
    """C++ without its comments and strings, with the same lines."""
    blank = lambda match: "\n" * match[0].count("\n") or " "  # noqa: E731
    return re.sub(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', blank, text(path), flags=re.DOTALL)


def cpp(paths: list[Path]) -> list[Path]:
    return [path for path in paths if path.suffix in (".h", ".cpp") and path.parts[0] in ("src", "include")]


def includes_go_down(_) -> list[str]:
    return check_layers.findings(ROOT / "src")


def files_are_short(paths) -> list[str]:
    reasons = dict(line.split(": ", 1) for line in LONG_FILES.read_text().splitlines() if line and not line.startswith("#"))
    found = []
    for path in paths:
        lines = text(path).count("\n") if path.suffix in SOURCES or path.name == "dev" else 0
        if lines > MOST_LINES and str(path) not in reasons:
            found.append(f"{path} has {lines} lines; {MOST_LINES} are the most without a reason in {LONG_FILES.relative_to(ROOT)}")
    return found + [f"{LONG_FILES.relative_to(ROOT)} names {name}, which does not exist" for name in reasons if not (ROOT / name).exists()]


def names_say_something(paths) -> list[str]:
    vague = {"util", "utils", "common", "misc", "helper", "helpers"}
    return [f"{path}: a name that says nothing" for path in paths if path.parts[0] in ("src", "include", "tools", "tests", "fuzz", "bench") and vague & set(re.split(r"[/_.]", str(path)))]


def build_files_list_no_sources(paths) -> list[str]:
    """An operator, a format, a command is a new file: the build finds it."""
    found = []
    for path in paths:
        if path.name == "CMakeLists.txt" and path.parent == Path() or path.suffix == ".cmake":
            for number, line in enumerate(text(path).splitlines(), 1):
                for name in re.findall(r"src/(?:ops|kernels|cli|formats|script/aten|optimize|quantize|serve)/[\w/]+\.cpp", line.split("#")[0]):
                    if not name.endswith("cli/main.cpp"):
                        found.append(f"{path}:{number}: names {name}; sources are found, not listed")
    return found


def nothing_is_left_for_later(paths) -> list[str]:
    word = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    return [f"{path}:{number}: {line.strip()[:80]}" for path in paths if path.suffix in SOURCES for number, line in enumerate(text(path).splitlines(), 1) if word.search(line)]


def nothing_is_thrown(paths) -> list[str]:
    return [f"{path}:{number}: throws" for path in cpp(paths) for number, line in enumerate(code(path).splitlines(), 1) if re.search(r"\bthrow\b", line)]


def headers_are_guarded(paths) -> list[str]:
    return [f"{path}: no #pragma once" for path in cpp(paths) if path.suffix == ".h" and "-inl" not in path.name and "#pragma once" not in text(path)]


def sources_end_in_a_newline(paths) -> list[str]:
    return [f"{path}: carriage returns or no newline at the end" for path in cpp(paths) if "\r" in text(path) or not text(path).endswith("\n")]


RULES = [includes_go_down, files_are_short, names_say_something, build_files_list_no_sources, nothing_is_left_for_later, nothing_is_thrown,
         headers_are_guarded, sources_end_in_a_newline]


def main() -> int:
    paths, failed = files(), 0
    for rule in RULES:
        found = rule(paths)
        failed += bool(found)
        print(f"{'FAIL' if found else 'ok  '} {rule.__name__.replace('_', ' ')}")
        for line in found:
            print(f"       {line}")
    print(f"{len(RULES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
