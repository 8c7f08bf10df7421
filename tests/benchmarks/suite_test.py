"""The frame of tools/bench: rows, table, results and plots. No time is asserted."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

SUITE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "benchmarks" / "suite"
sys.path.insert(0, str(SUITE))

import checkpoints  # pylint: disable=wrong-import-position
import context  # pylint: disable=wrong-import-position
import main  # pylint: disable=wrong-import-position
import parts  # pylint: disable=wrong-import-position
import svg  # pylint: disable=wrong-import-position
import table  # pylint: disable=wrong-import-position
from checkpoints import Checkpoint  # pylint: disable=wrong-import-position
from parts import state  # pylint: disable=wrong-import-position
from plot import Plot  # pylint: disable=wrong-import-position
from row import Row, parse_target  # pylint: disable=wrong-import-position

STEADY = {"p50": 20, "p99": 25, "p99_9": 200}
SHAKEN = {"p50": 20, "p99": 25, "p99_9": 201}


class Rows(unittest.TestCase):
    def test_a_ratio_is_reached_at_its_target_and_not_beyond(self):
        self.assertTrue(Row("r", 33, 100, "<= 0.33").reached)
        self.assertFalse(Row("r", 34, 100, "<= 0.33").reached)
        self.assertTrue(Row("r", 1800, 100, ">= 18").reached)
        self.assertFalse(Row("r", 1799, 100, ">= 18").reached)
        self.assertFalse(Row("r", 1, 1, "> 1").reached)
        self.assertFalse(Row("r", 1, 1, "< 1").reached)
        self.assertTrue(Row("r", 0, target="== 0").reached)
        self.assertFalse(Row("r", 3, target="== 0").reached)

    def test_a_target_may_be_a_fraction(self):
        self.assertEqual(parse_target("<= 1/30"), ("<=", 1 / 30))
        self.assertTrue(Row("r", 1, 31, "<= 1/30").reached)
        self.assertFalse(Row("r", 1, 29, "<= 1/30").reached)

    def test_what_is_no_target_is_refused(self):
        for text in ("0.33", "<=0.33", "<= x", "about 1"):
            with self.assertRaises(ValueError):
                Row("r", 1, 1, text)

    def test_nothing_to_compare_with_is_refused(self):
        with self.assertRaises(ValueError):
            Row("r", 1, 0, "<= 1")

    def test_without_a_target_nothing_is_judged(self):
        self.assertIsNone(Row("r", 1, 2).reached)

    def test_the_median_round_keeps_its_own_two_sides(self):
        row = Row.of_rounds("r", [(10, 100), (50, 100), (2, 10)])
        self.assertEqual((row.numerator, row.denominator, row.value), (2, 10, 0.2))

    def test_the_seven_keys(self):
        self.assertEqual(
            Row("r", 1, 2, "<= 1", "ns").as_json(),
            {"name": "r", "value": 0.5, "target": "<= 1", "numerator": 1, "denominator": 2, "unit": "ns", "reached": True},
        )


class Table(unittest.TestCase):
    ROWS = [Row("fast", 1, 4, "<= 0.5", "ns"), Row("slow", 3, 4, "<= 0.5", "ns"), Row("told", 1234567)]

    def test_both_sides_the_target_and_by_how_much_not(self):
        text = table.for_terminal(self.ROWS, colours=False)
        self.assertNotIn("\033", text)
        fast, slow, told = text.splitlines()[1:]
        self.assertRegex(fast, r"^fast +0.25 +1 / 4 ns +<= 0.5 +yes$")
        self.assertRegex(slow, r"^slow +0.75 +3 / 4 ns +<= 0.5 +no: 1.50x the target$")
        self.assertRegex(told, r"^told +1.23 M$")

    def test_colours_only_where_asked_for(self):
        self.assertIn("\033[31mslow", table.for_terminal(self.ROWS, colours=True))

    def test_numbers_for_people(self):
        for value, text in ((0, "0"), (0.01234, "0.0123"), (21.94, "21.9"), (239.5, "240"), (12345, "12345"), (2.93e6, "2.93 M")):
            self.assertEqual(table.number(value), text)

    def test_the_document_keeps_the_rows_of_other_parts(self):
        empty = f"before\n{table.BEGIN}\n{table.END}\nafter\n"
        both = table.for_docs(empty, {"b": self.ROWS[:1], "a": self.ROWS[1:2]}, ["a", "b"])
        self.assertLess(both.index("| a | slow |"), both.index("| b | fast |"))
        again = table.for_docs(both, {"a": [Row("new", 1)]}, ["a", "b"])
        self.assertIn("| b | fast |", again)
        self.assertIn("| a | new |", again)
        self.assertNotIn("slow", again)
        self.assertTrue(again.startswith("before\n") and again.endswith("after\n"))
        self.assertEqual(table.for_docs(again, {}, ["a", "b"]), again)

    def test_a_parts_own_table_goes_to_its_own_document(self):
        begin, end = (f"<!-- made by tools/bench --update-docs: own: {edge} -->" for edge in ("begin", "end"))
        with tempfile.TemporaryDirectory() as directory:
            document, other = (pathlib.Path(directory) / name for name in ("performance.md", "other.md"))
            document.write_text(f"{table.BEGIN}\n{table.END}\n")
            other.write_text(f"{begin}\n{end}\n")
            run = context.Context(directory, say=lambda text: None)
            run.add_text("own", "a  b", "other.md")
            main.update_docs(document, {}, run)
            self.assertIn("a  b", other.read_text())
            self.assertNotIn("a  b", document.read_text())

    def test_the_document_has_a_place_for_a_parts_own_table(self):
        begin, end = (f"<!-- made by tools/bench --update-docs: peers: {edge} -->" for edge in ("begin", "end"))
        document = table.with_text(f"before\n\n{begin}\n{end}\n\nafter\n", "peers", "a  b\n1  2")
        self.assertIn("```text\na  b\n1  2\n```", document)
        again = table.with_text(document, "peers", "c")
        self.assertNotIn("a  b", again)
        self.assertTrue(again.startswith("before\n") and again.endswith("\nafter\n"))

    def test_the_parts_with_tables_of_their_own_have_a_place_in_the_document(self):
        table.with_text(main.DOCUMENT.read_text(), "peers", "")


class Plots(unittest.TestCase):
    PLOT = Plot("growth", "cost & growth", "<threads>", "ns", {"a<b": [(1, 5), (100_000, 50)], "c": [(1, 7)]})

    def test_well_formed_with_every_point(self):
        root = xml.etree.ElementTree.fromstring(svg.render(self.PLOT))
        space = "{http://www.w3.org/2000/svg}"
        self.assertEqual(len(root.findall(f"{space}circle")), 3)
        texts = [element.text for element in root.findall(f"{space}text")]
        for text in ("cost & growth", "<threads>", "ns", "a<b", "c", "100k"):
            self.assertIn(text, texts)

    def test_points_stand_inside_the_picture(self):
        root = xml.etree.ElementTree.fromstring(svg.render(self.PLOT))
        for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
            self.assertTrue(0 < float(circle.get("cx")) < 720 and 0 < float(circle.get("cy")) < 400)

    def test_what_has_no_logarithm_is_refused(self):
        with self.assertRaises(ValueError):
            svg.render(Plot("p", "", "", "", {"a": [(0, 1)]}))


class Rounds(unittest.TestCase):
    def setUp(self):
        self.said = []
        self.context = context.Context(".", self.said.append)
        self.context.clock = lambda: STEADY

    def test_a_shaken_round_is_repeated_and_told(self):
        results = iter([{"clock": STEADY}, {"clock": SHAKEN}, {"clock": STEADY}, {"clock": STEADY}])
        self.assertEqual(len(self.context.rounds(lambda: next(results), "it")), 3)
        self.assertEqual(sum("thrown away" in line for line in self.said), 1)

    def test_a_round_may_say_itself_that_it_is_spoiled(self):
        def measure(results=iter([None, 1, 2, 3])):
            result = next(results)
            if result is None:
                raise context.Spoiled("too late")
            return result

        self.assertEqual(self.context.rounds(measure, "it"), [1, 2, 3])
        self.assertIn("it: too late: thrown away", self.said)

    def test_a_round_begins_when_the_machine_is_steady(self):
        probes = iter([SHAKEN, SHAKEN, STEADY] + [STEADY] * 9)
        self.context.clock = lambda: next(probes)
        self.assertEqual(self.context.rounds(lambda: 1, "it"), [1, 1, 1])
        self.assertFalse(any("thrown away" in line for line in self.said))

    def test_threads_that_disturb_each_other_spoil_nothing(self):
        self.assertEqual(len(self.context.rounds(lambda: {"clock": SHAKEN}, "it", clock_within=False)), 3)

    def test_it_does_not_go_on_for_ever(self):
        with self.assertRaises(context.Unmeasurable):
            self.context.rounds(lambda: {"clock": SHAKEN}, "it")

    def test_what_is_thrown_away_has_a_bound_in_all(self):
        self.context._waste_left = -1
        results = iter([{"clock": SHAKEN}] * 2 + [{"clock": STEADY}] * 2)
        self.assertEqual(len(self.context.rounds(lambda: next(results), "it")), 1)

    def test_fewer_rounds_are_better_than_none(self):
        results = iter([{"clock": SHAKEN}] * 4 + [{"clock": STEADY}] * 2)
        self.assertEqual(len(self.context.rounds(lambda: next(results), "it")), 2)
        self.assertIn("only 2", self.said[-1])


class Checkpoints(unittest.TestCase):
    SMALL, LARGE = Checkpoint(0.001, 0.0001, 100), Checkpoint(0.2, 0.02, 5000)

    @staticmethod
    def status(**changes):
        last = {"failing": False, "generation": 7, "duration_seconds": 0.2, "pause_seconds": 0.02, "written_bytes": 5000}
        return {"checkpoint": last | changes}

    def test_the_last_one_is_what_the_status_says(self):
        self.assertEqual(checkpoints.generation_and_checkpoint(self.status()), (7, self.LARGE))

    def test_where_none_is_made_nothing_is_measured(self):
        for status in (self.status(failing=True), {"checkpoint": None}):
            with self.assertRaises(context.Unmeasurable):
                checkpoints.generation_and_checkpoint(status)

    def test_the_largest_counts_and_what_was_there_before_does_not(self):
        self.assertEqual(checkpoints.largest([(1, self.LARGE), (2, self.SMALL), (2, self.SMALL)]), self.SMALL)
        self.assertEqual(checkpoints.largest([(1, self.SMALL), (3, self.LARGE), (4, self.SMALL)]), self.LARGE)
        with self.assertRaises(context.Unmeasurable):
            checkpoints.largest([(1, self.LARGE), (1, self.LARGE)])

    def test_rows_say_what_the_bytes_alone_and_the_pause_cost(self):
        alone, pause = state.checkpoint_rows(100_000, [(self.LARGE, 0.1)] * 3)
        self.assertEqual((alone.numerator, alone.denominator, alone.unit), (200, 100, "ms"))
        self.assertEqual((pause.numerator, pause.denominator), (20, 200))
        self.assertIn("100,000 changed series", alone.name)


class Main(unittest.TestCase):
    def test_results_are_the_rows_and_the_plots_beside_them(self):
        with tempfile.TemporaryDirectory() as directory:
            output = pathlib.Path(directory) / "results.json"
            main.write_results(output, Table.ROWS, [Plots.PLOT])
            self.assertEqual([row["name"] for row in json.loads(output.read_text())], ["fast", "slow", "told"])
            plots = json.loads((output.parent / "results-plots.json").read_text())
            self.assertEqual(plots[0]["lines"]["c"], [[1, 7]])

    def test_the_list_names_every_part_without_a_build(self):
        listed = self.suite("--list")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual([line.split()[0] for line in listed.stdout.splitlines()], list(parts.PARTS))

    def test_an_unknown_part_is_wrong_usage(self):
        refused = self.suite("no-such-part")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("no such part: no-such-part", refused.stderr)

    def test_parts_have_a_name_of_their_own_and_say_what_they_are(self):
        for name, part in parts.PARTS.items():
            self.assertRegex(name, r"^[a-z-]+$")
            self.assertTrue(part.DESCRIPTION)

    def suite(self, *words):
        command = [sys.executable, SUITE / "main.py", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
