#!/usr/bin/env python3
"""The CSV, opened by a real spreadsheet and by Python: text stays text, numbers numbers, and nothing is a formula."""

import csv
import json
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile

import harness

harness.require("soffice")

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"

COLUMNS = (
    "operation_id,timestamp_start,timestamp_end,operation_type,workload_type,object_key,object_size_bytes,duration_ms,"
    "throughput_mbps,success,error_code,retry_count,driver,user_id,error_message,intended_start,metadata"
).split(",")

FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://x","y")', "=cmd|'/c calc'!A1"]
PLAIN = ["a,b", 'say "hello"', "two\nlines", "naïve 日本 😀", " padded ", "'quoted", "semi;colon", "x=1"]


def operations():
    for number, text in enumerate(FORMULAS + PLAIN):
        yield {
            "operation_id": f"id-{number}",
            "timestamp_start": "2026-01-31T12:00:00.000000Z",
            "timestamp_end": "2026-01-31T12:00:00.112500Z",
            "operation_type": "upload",
            "object_key": text,
            "object_size_bytes": 1048576 + number,
            "duration_ms": 112.5,
            "success": number % 2 == 0,
            "error_code": "" if number % 2 == 0 else text,
            "error_message": text,
            "retry_count": number,
            "driver": text,
            "user_id": text,
            "metadata": {"key": text},
        }


def defused(text):
    return "'" + text if text[0] in "=+-@\t\r" else text


class SpreadsheetTest(harness.Test):
    def setUp(self):
        super().setUp()
        self.sent = list(operations())
        run = self.directory / "sheet_20260131T120000Z_0123abcd"
        run.mkdir()
        with open(run / "operations.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(operation) + "\n" for operation in self.sent)
        self.run_path = run

    def export(self, *flags):
        harness.run(harness.BIN / "metricsctl", "export", self.run_path, *flags)
        return self.run_path / "operations.csv"

    def sheet(self, path):
        """The rows that the spreadsheet shows, as lists of (value type, text, number); no cell may be a formula."""
        # The options of its import dialogue as they stand by default: comma, quote, UTF-8, numbers recognized.
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{self.directory}/profile", "--headless"]
            + ["--infilter=CSV:44,34,76,1,,0,false,true", "--convert-to", "ods", "--outdir", self.directory, path],
            check=True,
            capture_output=True,
            timeout=180,
        )
        with zipfile.ZipFile(self.directory / "operations.ods") as archive:
            content = ElementTree.fromstring(archive.read("content.xml"))
        rows = []
        for row in content.iter(TABLE + "table-row"):
            cells = []
            for cell in row.iter(TABLE + "table-cell"):
                self.assertNotIn(TABLE + "formula", cell.attrib)
                text = "\n".join("".join(part.itertext()) for part in cell.findall(TEXT + "p"))
                value = (cell.get(OFFICE + "value-type"), text, cell.get(OFFICE + "value"))
                cells += [value] * int(cell.get(TABLE + "number-columns-repeated", "1"))
            rows.append(cells[: len(COLUMNS)])
        return rows[: len(self.sent) + 1]

    def test_python_reads_back_what_was_recorded(self):
        with open(self.export(), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), COLUMNS)
        self.assertEqual(len(rows), len(self.sent))
        for row, operation in zip(rows, self.sent):
            self.assertEqual(row["object_key"], defused(operation["object_key"]))
            self.assertEqual(row["user_id"], defused(operation["user_id"]))
            self.assertEqual(row["error_message"], defused(operation["error_message"]))
            self.assertEqual(int(row["object_size_bytes"]), operation["object_size_bytes"])
            self.assertEqual(float(row["duration_ms"]), 112.5)
            self.assertEqual(row["success"], "true" if operation["success"] else "false")
            self.assertEqual(json.loads(row["metadata"]), operation["metadata"])

    def test_the_rows_end_as_rfc_4180_says(self):
        data = self.export().read_bytes()
        self.assertTrue(data.startswith(b"operation_id,timestamp_start,"))
        self.assertTrue(data.endswith(b"\r\n"))

    def test_raw_and_byte_order_mark_are_what_they_say(self):
        data = self.export("--csv-raw", "--csv-bom").read_bytes()
        self.assertTrue(data.startswith(b"\xef\xbb\xbfoperation_id,"))
        self.assertIn(b",=1+1,", data)

    def test_a_spreadsheet_sees_text_and_numbers(self):
        rows = self.sheet(self.export())
        self.assertEqual([text for _, text, _ in rows[0]], COLUMNS)
        self.assertEqual(len(rows), len(self.sent) + 1)
        for cells, operation in zip(rows[1:], self.sent):
            row = dict(zip(COLUMNS, cells))
            with self.subTest(key=operation["object_key"]):
                for column in ("object_key", "driver", "user_id", "error_message"):
                    self.assertEqual(row[column][0], "string", column)
                for column in ("object_size_bytes", "duration_ms", "retry_count"):
                    self.assertEqual(row[column][0], "float", column)
                    self.assertEqual(float(row[column][2]), operation[column])


if __name__ == "__main__":
    harness.main()
