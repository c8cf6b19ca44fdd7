#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Is standard input OpenMetrics 1.0, as strictly as the standard has it?

Prints the names of the samples; exit status 1 and one line of what is wrong if not.
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (\d+(?:\.\d+)?)$")
SUFFIX = {"counter": "_total", "gauge": "", "info": "_info", "stateset": ""}


def wrong(number, line, why):
    sys.exit(f"line {number}: {why}: {line!r}")


class Family:
    def __init__(self, name):
        self.name, self.type, self.help, self.unit, self.seen = name, None, False, None, {}

    def describe(self, what, text, complain):
        if self.seen:
            complain("a description behind samples")
        if what == "TYPE":
            if self.type or text not in SUFFIX:
                complain("a type that is none, or twice")
            self.type = text
        elif what == "UNIT":
            if self.unit or not self.name.endswith("_" + text):
                complain("a unit that the name does not end with, or twice")
            self.unit = text
        elif self.help or not text or re.search(r"\\[^\\n\"]", text):
            complain("help that is empty, badly escaped, or twice")
        else:
            self.help = True

    def sample(self, name, labels, value, complain):
        if not self.type or name != self.name + SUFFIX[self.type]:
            complain("a sample of no family, or of another one")
        names = [n for n, _ in labels]
        if len(set(names)) != len(names):
            complain("a label twice")
        key = tuple(sorted(labels))
        if key in self.seen:
            complain("a sample twice")
        if self.type == "info" and value != 1:
            complain("an info that is not 1")
        if self.type == "stateset" and (self.name not in names or value not in (0, 1)):
            complain("a state without its label, or neither 0 nor 1")
        self.seen[key] = value

    def end(self, complain):
        if self.type != "stateset":
            return
        on = {}
        for key, value in self.seen.items():
            rest = tuple(l for l in key if l[0] != self.name)
            on[rest] = on.get(rest, 0) + value
        if any(n != 1 for n in on.values()):
            complain("not one state is on")


def main():
    text = sys.stdin.read()
    if not text.endswith("\n"):
        sys.exit("the last line has no end")
    lines = text[:-1].split("\n")
    families, family, names = set(), None, set()
    for number, line in enumerate(lines, 1):
        complain = lambda why: wrong(number, line, why)
        if line == "# EOF":
            if number != len(lines):
                complain("something behind the end")
            break
        m = re.match(rf"# (HELP|TYPE|UNIT) ({NAME}) (.+)$", line)
        if m:
            if not family or family.name != m[2]:
                if m[2] in families:
                    complain("a family in two places")
                if family:
                    family.end(complain)
                family = Family(m[2])
                families.add(m[2])
            family.describe(m[1], m[3], complain)
            continue
        m = SAMPLE.match(line)
        if not m or not family:
            complain("neither a sample nor a description")
        family.sample(m[1], re.findall(LABEL, m[2] or ""), float(line.rsplit(" ", 1)[1]), complain)
        names.add(m[1])
    else:
        sys.exit("no # EOF")
    family.end(complain)
    print("\n".join(sorted(names)))


if __name__ == "__main__":
    main()
