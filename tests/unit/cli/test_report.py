"""The table at a sweep's end: warnings that are alike are one line."""

import json

from synthetic_results import as_results, records

from fctestbed.cli.report import print_summary

TEXT = "(X1;X2) ended at {} nats, its value for constant features (4.852)"


def test_warnings_that_differ_in_numbers_only_are_one_line(capsys):
    results = as_results(records(methods=("simclr",)))
    told = [[TEXT.format(4.85)], [TEXT.format("4.8e+00"), "head Z_S1 puts out a constant"]]
    runs = len(results.runs)
    results.runs["warnings"] = [json.dumps(told[min(i, 1)] if i < 3 else []) for i in range(runs)]
    print_summary(results)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert lines == [
        f"warning: simclr: {TEXT.format('4.8e+00 to 4.85')} in 3 runs",
        "warning: simclr: head Z_S1 puts out a constant in 2 runs",
    ]
