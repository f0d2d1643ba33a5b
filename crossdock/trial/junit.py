"""Results of content tests as JUnit XML, which systems of continuous integration read; see `crossdock test --junit`."""

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from crossdock.trial.testrun import Result

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def junit(results: Sequence[Result]) -> bytes:
    """Return the document: a suite for each file, a case for each test, its differences as the failure."""
    root = ElementTree.Element("testsuites", _counts(results), name="crossdock test")
    for file, group in groupby(results, key=lambda result: result.file):
        of_file = list(group)
        suite = ElementTree.SubElement(root, "testsuite", _counts(of_file), name=_text(file))
        for result in of_file:
            suite.append(_case(result))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return document + b"\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    failures = sum(bool(result.differences) for result in results)
    seconds = sum(result.seconds for result in results)
    return {
        "tests": str(len(results)),
        "failures": str(failures),
        "errors": "0",
        "skipped": "0",
        "time": f"{seconds:.6f}",
    }


def _case(result: Result) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        name=_text(result.name),
        classname=_text(result.file.removesuffix(".test.yaml").replace("/", ".")),
        file=_text(result.file),
        line=str(result.line),
        time=f"{result.seconds:.6f}",
    )
    if result.differences:
        said = [_text(str(difference)) for difference in result.differences]
        failure = ElementTree.SubElement(case, "failure", message=said[0], type="difference")
        failure.text = "\n".join([f"{result.file}:{result.line}", *said])
    return case


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
