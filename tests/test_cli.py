"""What the program prints, word for word: tests/cli/*.test.

A test file holds blocks: a line `$ lanthorn ARGUMENTS`, then what is printed on stdout and stderr together, then an empty line. A line
`[exit N]` ends the output when the exit status is not 0. In the output `...` stands for anything within its line, and a line that is only
`...` for any number of lines. The working directory is the root of the project; `{tmp}` is an empty folder.
"""

import os
import re
import shlex
import subprocess

import pytest

import program

FILES = sorted((program.ROOT / "tests/cli").glob("*.test"))


def blocks(text: str) -> list[tuple[str, str]]:
    """(command, expected output) of every block."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].rstrip("\n")) for part in parts]


def matches(expected: str, printed: str) -> bool:
    pattern = ""
    for line in expected.splitlines():
        pattern += "(?:.*\n)*?" if line == "..." else "[^\n]*".join(map(re.escape, line.split("..."))) + "\n"
    return re.fullmatch(pattern, printed + "\n" if printed else "") is not None


def answer(command: str, folder) -> str:
    words = shlex.split(command.replace("{tmp}", str(folder)))
    assert words[0] == "lanthorn", f"a block calls lanthorn, not {words[0]}"
    done = subprocess.run([program.lanthorn(), *words[1:]], cwd=program.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, env={**os.environ, "NO_COLOR": "1"})
    printed = done.stdout.decode("utf-8", "replace").rstrip("\n").replace(str(folder), "{tmp}")
    return printed + (f"\n[exit {done.returncode}]" if done.returncode else "")


CASES = [(file.stem, number, command, expected) for file in FILES for number, (command, expected) in enumerate(blocks(file.read_text()), 1)]


@pytest.mark.parametrize("command, expected", [pytest.param(c, e, id=f"{stem}-{n}") for stem, n, c, e in CASES])
def test_prints_exactly(command, expected, tmp_path):
    printed = answer(command, tmp_path)
    assert matches(expected, printed), f"$ {command}\n--- expected\n{expected}\n--- printed\n{printed}"
