"""Reads one document of OSCAL from standard input with compliance-trestle, and says what kind it is.

What is not such a document, or is none of this version, ends with an error that says what is wrong.
"""

import json
import sys

from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.component import ComponentDefinition
from trestle.oscal.poam import PlanOfActionAndMilestones

KINDS = {
    "component-definition": ComponentDefinition,
    "assessment-results": AssessmentResults,
    "plan-of-action-and-milestones": PlanOfActionAndMilestones,
}

document = json.load(sys.stdin)
(kind,) = document
read = KINDS[kind].parse_obj(document[kind])
# What is written again is what was read: nothing was lost on the way.
again = json.loads(read.oscal_serialize_json())[kind]
assert again.keys() == document[kind].keys(), again.keys() ^ document[kind].keys()

# The ids that parts name are there.
uuids, named = set(), set()


def walk(part):
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "uuid":
                assert value not in uuids, f"twice: {value}"
                uuids.add(value)
            elif key.endswith("-uuid"):
                named.add(value)
            walk(value)
    elif isinstance(part, list):
        for one in part:
            walk(one)


walk(document)
assert named <= uuids, f"named and not there: {sorted(named - uuids)}"
print(kind, read.metadata.oscal_version)
