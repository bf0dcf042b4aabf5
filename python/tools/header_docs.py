"""The comments above the structs of the registries, for help(): {"sgd": "theta -= gamma G", ..}.

Usage: header_docs.py OUT.json HEADER..
"""

import json
import re
import sys

STRUCT = re.compile(
    r"((?:^///[^\n]*\n)+)struct (\w+) \{\n((?:(?!^\};)[^\n]*\n)*?)"
    r'\s*static constexpr const char\* (?:kind|name) = "(\w+)"',
    re.MULTILINE,
)
OTHERS = re.compile(r"((?:^///[^\n]*\n)+)struct (\w+) \{", re.MULTILINE)


def text_of(comment: str) -> str:
    lines = [line[3:].removeprefix(" ").rstrip() for line in comment.splitlines()]
    return "\n".join(lines)


def main() -> None:
    out, *headers = sys.argv[1:]
    docs = {}
    for path in sorted(headers):
        with open(path, encoding="utf-8") as file:
            source = file.read()
        for comment, struct, _, kind in STRUCT.findall(source):
            docs[f"{struct}:{kind}"] = text_of(comment)
        for comment, struct in OTHERS.findall(source):
            docs.setdefault(struct, text_of(comment))
    with open(out, "w", encoding="utf-8") as file:
        json.dump(docs, file, indent=1, ensure_ascii=False)


main()
