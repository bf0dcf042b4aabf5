#!/usr/bin/env python3
"""Every public name of the library beside what it is in Python, as docs/python-api.md holds it; exit code 1 where
one has neither a counterpart nor a reason, or names something that the package does not have.

Usage: public_api.py [FOLDER of include/riskcurve]
"""

import os
import re
import sys

import riskcurve as rc
from riskcurve._tables import catalogue, class_name, function_name

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def declarations(text):
    """What stands in the namespace riskcurve itself, each without its body."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^[ \t]*#[^\n]*(\\\n[^\n]*)*", "", text, flags=re.M)
    body = text.split("namespace riskcurve {", 1)[1] if "namespace riskcurve {" in text else ""
    depth, start = 0, ""
    for char in body:
        if char == "{":
            if depth == 0:
                yield start.strip()
                start = ""
            depth += 1
        elif char == "}":
            depth -= 1
            if depth < 0:
                return
        elif depth == 0:
            if char == ";":
                yield start.strip()
                start = ""
            else:
                start += char


def name_of(declaration):
    line = " ".join(declaration.split())
    line = re.sub(r"^template <[^>]*(<[^>]*>[^>]*)*>\s*", "", line)
    for pattern in (r"^(?:struct|class|enum class|enum) (\w+)", r"^using (\w+) =", r"^concept (\w+)"):
        if found := re.match(pattern, line):
            return found.group(1)
    if found := re.match(r"^(?:inline )?(?:constexpr|extern const) [^(=]*?(\w+)(?:\[\])?\s*(?:=|$)", line):
        return found.group(1)
    if "operator" in line:
        return None
    found = re.match(r"^[\w:<>,&*\s\[\]]*?[\s&*>](\w+)\s*\(", line)
    return found.group(1) if found else None


def public_names(folder):
    found = {}
    for base, _, files in os.walk(folder):
        for file in sorted(files):
            path = os.path.join(base, file)
            with open(path, encoding="utf-8") as source:
                names = [name_of(line) for line in declarations(source.read())]
            header = os.path.relpath(path, folder)
            found.setdefault(header, [])
            for name in names:
                if name and name not in found[header] and not any(name in other for other in found.values()):
                    found[header].append(name)
    return {header: names for header, names in sorted(found.items()) if names}


def of_registries():
    """Structs that a registry lists have what is made from them."""
    made = {}
    for table in catalogue["optimizer"]:
        name = class_name(table["kind"], table["title"])
        made[name.lower()] = name
        made[(table["kind"].replace("_", "") + "svd").lower()] = name
    for registry in ("covariance", "noise", "target", "schedule", "matrix_target"):
        for table in catalogue[registry]:
            struct = (table["kind"] + registry).replace("_", "").lower()
            if registry in ("noise", "schedule"):
                made[f"{table['kind']}_{registry}"] = function_name(registry, table["kind"])
            if registry == "matrix_target":
                struct = ("matrix" + table["kind"] + "target").replace("_", "")
            made[struct] = function_name(registry.removeprefix("matrix_"), table["kind"])
    made["nonoise"] = "no_noise"
    return {struct: name for struct, name in made.items() if hasattr(rc, name)}


def stated():
    with open(os.path.join(HERE, "public_api.txt"), encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return dict(re.split(r"\s*:\s*", line, maxsplit=1) for line in lines if line)


def exists(text):
    """Whether the names in backquotes are those of the package."""
    for name in re.findall(r"`([\w.]+)", text):
        thing = rc
        for part in name.split("."):
            annotated = getattr(thing, "__annotations__", {})
            if not hasattr(thing, part) and part not in annotated:
                return False
            thing = getattr(thing, part, None)
    return True


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "include", "riskcurve")
    given, registries, gaps, used = stated(), of_registries(), [], set()
    print("| header | C++ | Python |\n|---|---|---|")
    for header, names in public_names(folder).items():
        for name in names:
            python = given.get(name)
            if python is not None:
                used.add(name)
            elif name.lower() in registries:
                python = f"`{registries[name.lower()]}`"
            elif callable(getattr(rc, name, None)) or name in rc.__all__:
                python = f"`{name}`"
            if python is None or not exists(python):
                gaps.append(f"{header}: {name}: {python}")
            print(f"| {header} | `{name}` | {python} |")
    gaps += [f"public_api.txt: {name} is no public name" for name in set(given) - used]
    for gap in gaps:
        print("public_api:", gap, file=sys.stderr)
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
