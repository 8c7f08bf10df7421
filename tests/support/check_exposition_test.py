#!/usr/bin/env python3
"""metricsd_check_exposition says what is wrong with pages, from files and as they come."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["METRICSD_BIN_DIR"]) / "metricsd_check_exposition"

GOOD = "# TYPE a counter\na 3\n"
LOWER = "# TYPE a counter\na 2\n"
WRONG = "a 1\n"


class CheckExpositionTest(unittest.TestCase):
    def check(self, *words, text=""):
        result = subprocess.run(
            [PROGRAM, *words], input=text, capture_output=True, text=True, check=False, timeout=60
        )
        return result.returncode, result.stdout

    def files(self, *texts):
        directory = tempfile.TemporaryDirectory(prefix="metricsd-check-")
        self.addCleanup(directory.cleanup)
        paths = [pathlib.Path(directory.name) / str(number) for number in range(len(texts))]
        for path, text in zip(paths, texts):
            path.write_text(text)
        return paths

    def test_a_page_on_standard_input(self):
        self.assertEqual(self.check(text=GOOD), (0, ""))
        code, said = self.check(text=WRONG)
        self.assertEqual(code, 1)
        self.assertIn("-: wrong line 1: a sample without a TYPE", said)

    def test_files_in_order(self):
        lower, good = self.files(LOWER, GOOD)
        self.assertEqual(self.check(lower, good), (0, ""))
        self.assertEqual(self.check(good, lower), (1, f"{lower}: fallen a: 3, then 2\n"))
        self.assertEqual(self.check("--except", "a", good, lower), (0, ""))

    def test_pages_as_they_come(self):
        frames = "".join(f"{len(page)}\n{page}" for page in (GOOD, GOOD, WRONG, LOWER))
        code, said = self.check("--watch", text=frames)
        self.assertEqual(code, 1)
        self.assertEqual(
            said.splitlines(),
            ["ok 1", "ok 1", "wrong line 1: a sample without a TYPE", "fallen a: 3, then 2"],
        )
        self.assertEqual(self.check("--watch", text="0\n"), (0, "ok 0\n"))
        self.assertEqual(self.check("--watch", text="9\nshort")[0], 2)

    def test_wrong_usage(self):
        self.assertEqual(self.check("--nonsense")[0], 2)
        self.assertEqual(self.check("--watch", "file")[0], 2)
        self.assertEqual(self.check("no/such/file")[0], 2)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
