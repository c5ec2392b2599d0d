#!/usr/bin/env python3
"""Prints `PASSED FAILED SKIPPED` of GoogleTest's JSON or pytest's JUnit XML reports, and the reasons of what was skipped on stderr."""

import json
import sys
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path


def googletest(path: Path, reasons: Counter) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for suite in json.loads(path.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            if case["status"] == "NOTRUN":
                continue
            if case.get("failures"):
                failed += 1
            elif case["result"] == "SKIPPED":
                skipped += 1
                said = " ".join(part.get("message", "") for part in case.get("skipped", [])).split("\n", 1)[-1].strip()
                reasons[said or f"{suite['name']}.{case['name']}"] += 1
            else:
                passed += 1
    return passed, failed, skipped


def junit(path: Path, reasons: Counter) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (skip := case.find("skipped")) is not None:
            skipped += 1
            reasons[skip.get("message", "")] += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    reasons: Counter = Counter()
    totals = [0, 0, 0]
    for name in sys.argv[1:]:
        path = Path(name)
        counts = (googletest if path.suffix == ".json" else junit)(path, reasons)
        totals = [a + b for a, b in zip(totals, counts)]
    for reason, count in reasons.items():
        print(f"skipped {count}: {reason}", file=sys.stderr)
    print(*totals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
