"""Checks the text files of a repository: the length of lines, the links of Markdown files, and the names of files.

usage: check_text.py FOLDER

Prints FILE:LINE: FAULT for each fault and exits with 1 if there is one. The rules:

- A line has at most 120 columns. The rule does not apply to rows of Markdown tables, Markdown lines with a URL, lines
  with a word of more than 80 columns (such as encoded test data), JSON files, the generated queues/asyncapi.yaml, and
  migrations, which must not change once they are applied.
- A relative link of a Markdown file leads to a file or folder, and its anchor to a heading.
- A path that begins with Sources/, Tests/, queues/ or compose/ names a file or folder of the repository. A Markdown
  file whose name is in capitals, such as README.md, exists. In Swift files only comments are checked, because strings
  in tests contain other paths.
- A name of a file or folder in `code` in a Markdown file, such as `Stack.swift`, `Support/Stack.swift` or `Support/`,
  exists in some folder. Names with a component that begins with a dot or is in capitals are not checked.
"""

import os
import re
import sys

COLUMNS = 120
LONG_WORD = 80
EXEMPT = re.compile(r".*\.json$|queues/asyncapi\.yaml$|.*/Migrations/[^/]*\.sql$|Package\.resolved$")
SKIPPED_FOLDERS = {".git", ".local", "__pycache__"}
# Files that an operator may create and that Git ignores. A text may name them even if they do not exist.
UNTRACKED_FILES = {"compose/warren.env"}

FENCE = re.compile(r"^\s*(```|~~~)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\[\]]*\]\(\s*<?([^()\s<>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
URL = re.compile(r"https?://")
ROOTED = re.compile(r"(?<![\w./+$}-])((?:Sources|Tests|queues|compose)/[\w./+-]*\w)")
CAPITALS = re.compile(r"(?<![\w./+-])([A-Z]+\.md)\b")
NAMED_FILE = re.compile(r"^(?:[\w.+-]+/)*[\w.+-]+\.(?:swift|sh|py|sql|md|yaml)$")
NAMED_FOLDER = re.compile(r"^(?:[\w.+-]+/)+$")
PLACEHOLDER = re.compile(r"(?:^|/)(?:\.|[A-Z]+(?:[./-]|$)|Type\+Aspect\.swift)")


def paths(root):
    """Yields the paths of the repository's files, relative to its root."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith(".build"))
        for file in sorted(files):
            path = os.path.relpath(os.path.join(folder, file), root)
            if path not in UNTRACKED_FILES:
                yield path


def anchor(heading):
    """Returns the anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


class Markdown:
    """The anchors of a Markdown file, and its lines; lines of code blocks are empty."""

    def __init__(self, lines):
        self.anchors = set()
        self.prose = []
        fenced = False
        for line in lines:
            if FENCE.match(line):
                fenced = not fenced
                self.prose.append("")
                continue
            self.prose.append("" if fenced else line)
            heading = None if fenced else HEADING.match(line)
            if heading:
                self.add_anchor(anchor(heading.group(1)))

    def add_anchor(self, name):
        number = 0
        unique = name
        while unique in self.anchors:
            number += 1
            unique = f"{name}-{number}"
        self.anchors.add(unique)


class Repository:
    def __init__(self, root):
        self.root = root
        self.texts = {}
        self.files = set()
        for path in paths(root):
            self.files.add(path)
            with open(os.path.join(root, path), "rb") as file:
                data = file.read()
            try:
                self.texts[path] = data.decode("utf-8").splitlines()
            except UnicodeDecodeError:
                continue
        self.folders = {"."}
        for path in self.files:
            while path := os.path.dirname(path):
                self.folders.add(path)
        self.markdown = {path: Markdown(lines) for path, lines in self.texts.items() if path.endswith(".md")}

    def exists(self, path):
        path = os.path.normpath(path)
        return path in self.files or path in self.folders or path in UNTRACKED_FILES

    def has_suffix(self, path):
        """Returns whether the path of a file or folder is this path or ends with it."""
        path = path.rstrip("/")
        return any(each == path or each.endswith("/" + path) for each in self.files | self.folders)

    def faults(self):
        for path, lines in sorted(self.texts.items()):
            is_markdown = path in self.markdown
            for number, line in enumerate(lines, 1):
                if len(line) > COLUMNS and not self.may_be_long(path, line):
                    yield path, number, f"{len(line)} columns, at most {COLUMNS} are allowed"
                if path.endswith(".swift") and not line.lstrip().startswith("//"):
                    continue
                for match in ROOTED.finditer(line):
                    is_pattern = line[match.end() : match.end() + 1] in ("{", "*", "$", "\\")
                    if not is_pattern and not self.exists(match.group(1)):
                        yield path, number, f"{match.group(1)} does not exist"
                for name in CAPITALS.findall(line):
                    if not self.has_suffix(name):
                        yield path, number, f"{name} does not exist"
            if is_markdown:
                yield from self.markdown_faults(path)

    @staticmethod
    def may_be_long(path, line):
        if EXEMPT.match(path) or any(len(word) > LONG_WORD for word in line.split()):
            return True
        return path.endswith(".md") and (line.lstrip().startswith("|") or bool(URL.search(line)))

    def markdown_faults(self, path):
        prose = self.markdown[path].prose
        for number, line in enumerate(prose, 1):
            for code in CODE.findall(line):
                if PLACEHOLDER.search(code) or ROOTED.match(code):
                    continue
                if (NAMED_FILE.match(code) or NAMED_FOLDER.match(code)) and not self.has_suffix(code):
                    yield path, number, f"{code} does not exist"
        # A link's text may be on two lines.
        text = "\n".join(CODE.sub(lambda code: "x" * len(code.group()), line) for line in prose)
        for link in LINK.finditer(text):
            fault = self.link_fault(path, link.group(1))
            if fault:
                yield path, text.count("\n", 0, link.start(1)) + 1, fault

    def link_fault(self, path, target):
        if re.match(r"[a-z]+:", target):
            return None
        name, _, fragment = target.partition("#")
        linked = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not self.exists(linked):
            return f"the link {target} leads to no file"
        if linked in self.folders:
            linked = os.path.normpath(os.path.join(linked, "README.md"))
        if fragment and (linked not in self.markdown or fragment not in self.markdown[linked].anchors):
            return f"the link {target} leads to no heading"
        return None


def main():
    faults = list(Repository(sys.argv[1]).faults())
    for path, number, fault in faults:
        print(f"{path}:{number}: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
