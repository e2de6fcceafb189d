"""Checks that each Swift file imports only modules that its target depends on.

usage: swift package dump-package | check_imports.py FOLDER

Prints FILE:LINE: FAULT for each import of a module of this package that is not a dependency of the target, and exits
with 1 if there is one. Such an import can compile, because the compiler finds every module that was built before.
"""

import json
import os
import re
import sys

IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:\w+\s+)?(\w+)")


def main():
    root = sys.argv[1]
    targets = json.load(sys.stdin)["targets"]
    modules = {target["name"] for target in targets}
    folders = {target["path"].rstrip("/"): target for target in targets}
    faulty = False
    for folder, target in sorted(folders.items()):
        allowed = {d["byName"][0] for d in target["dependencies"] if "byName" in d}
        allowed |= {d["target"][0] for d in target["dependencies"] if "target" in d}
        for path in swift_files(root, folder, folders):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    match = IMPORT.match(line)
                    name = match.group(1) if match else None
                    if name in modules and name not in allowed and name != target["name"]:
                        print(f"{path}:{number}: {target['name']} imports {name}, on which it does not depend")
                        faulty = True
    sys.exit(1 if faulty else 0)


def swift_files(root, folder, targets):
    """Yields the Swift files below the target's folder, without the folders of other targets."""
    for current, folders, files in os.walk(os.path.join(root, folder)):
        path = os.path.relpath(current, root)
        folders[:] = sorted(f for f in folders if os.path.join(path, f) not in targets)
        for file in sorted(files):
            if file.endswith(".swift"):
                yield os.path.join(path, file)


if __name__ == "__main__":
    main()
